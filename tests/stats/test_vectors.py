"""Every statistic gives the figures of the design's vectors, which were found twice independently."""

import pytest

from llmtel.stats import adtributor, bridge, buckets, histogram, multiple, order, prediction, ranksum, rates


def test_wilson_intervals_are_the_published_ones(vectors, near):
    for case in vectors["wilson"]["cases"]:
        found = rates.wilson(rates.Rate(case["k"], case["n"]), case["conf"])
        assert near(found.low, case["lo"])
        assert near(found.high, case["hi"])
        published = case.get("published", [round(found.low, 4), round(found.high, 4)])
        assert [round(found.low, 4), round(found.high, 4)] == published


def test_newcombe_intervals_are_the_published_ones(vectors, near):
    for case in vectors["newcombe_diff"]["cases"]:
        first, second = rates.Rate(case["k1"], case["n1"]), rates.Rate(case["k2"], case["n2"])
        found = rates.newcombe(first, second, case["conf"])
        assert near(found.low, case["lo"])
        assert near(found.high, case["hi"])
        assert [round(found.low, 4), round(found.high, 4)] == pytest.approx(case["published"], abs=1.1e-4)


def test_ranks_of_a_quantile_are_those_of_the_binomial(vectors, near):
    group = vectors["quantile_ci_order_stat"]
    for case in group["cases"]:
        found = order.ranks(case["n"], case["q"], case["conf"])
        assert (found.low, found.high) == (case["l"], case["u"])
        assert near(found.coverage, case["coverage"])
    for q, n in group["min_n_finite_two_sided_95"].items():
        assert order.fewest(float(q)) == n
        assert order.ranks(n, float(q)).high is not None
        assert order.ranks(n - 1, float(q)).high is None
    example = group["data_example"]
    found = order.ranks(len(example["x"]), example["q"])
    assert (example["x"][found.low - 1], example["x"][found.high - 1]) == (example["lo"], example["hi"])


def test_hodges_lehmann_is_the_worked_example_of_r(vectors, near):
    group = vectors["hodges_lehmann"]
    found = ranksum.hodges_lehmann(group["x"], group["y"])
    assert found.u == group["U"]
    assert found.rank == group["rank_k"]
    assert near(found.shift, group["shift"])
    assert near(found.achieved, group["achieved_conf"])
    assert near(found.p_rise, group["p_greater_exact"])
    assert near(2 * found.p_rise, group["p_two_sided_exact"])
    assert [found.low, found.high] == pytest.approx(group["ci95"], rel=1e-9)
    for case in group["simple"]:
        assert ranksum.hodges_lehmann(case["x"], case["y"]).shift == case["shift"]


def test_adjusted_p_values_are_those_of_the_papers(vectors, near):
    group = vectors["multiple_testing"]
    for method, expected in (("bh", group["bh_adj"]), ("holm", group["holm_adj"])):
        found = multiple.CORRECTIONS[method](group["p"])
        assert all(near(a, b) for a, b in zip(found, expected, strict=True))
    assert [p < 0.05 for p in multiple.benjamini_hochberg(group["p"])] == group["bh_reject_0.05"]


def test_histograms_have_the_buckets_of_opentelemetry(vectors, near):
    group = vectors["log_histogram"]["otel"]
    assert near(buckets.base(group["scale"]), group["base"])
    assert near(buckets.relative_error(group["scale"]), group["rel_error_midpoint"])
    for case in group["cases"]:
        i = histogram.index(case["x"])
        assert i == case["index"]
        assert i >> 2 == case["index_scale3"] == histogram.index(case["x"], 3)
        assert near(round(histogram.value(i), 12), case["value"])
    for case in vectors["log_histogram"]["error_by_scale"]:
        assert round(buckets.relative_error(case["scale"]), 9) == case["rel_error"]
        assert round(buckets.base(case["scale"]), 9) == case["base"]
        for low, high, name in ((1, 3.6e6, "buckets_1ms_to_1h"), (1e-7, 1e3, "buckets_1e-7_to_1e3_usd")):
            span = histogram.index(high, case["scale"]) - histogram.index(low, case["scale"])
            assert abs(span - case[name]) <= 1


@pytest.mark.parametrize(("method", "split"), [("shapley", bridge.shapley), ("lmdi", bridge.lmdi)])
def test_the_cost_bridge_is_the_worked_example(vectors, near, method, split):
    group = vectors["cost_bridge"]
    sides = [
        {key: bridge.Cell(*values) for key, values in group[f"cells_{side}"].items()}
        for side in ("base", "current")
    ]
    found = bridge.bridge(*sides, calls=(group["calls_base"], group["calls_current"]), split=split)
    assert near(found.before, group["cost_base"])
    assert near(found.after, group["cost_current"])
    for line, effect in group[method]["effects"].items():
        assert near(found.effects[line], effect)
    for key, lines in group[method]["per_cell"].items():
        assert found.cells[key].keys() == lines.keys()
        assert all(near(found.cells[key][line], effect) for line, effect in lines.items())
    assert near(sum(found.effects.values()), group[method]["sum"])


def test_shapley_is_defined_for_free_tiers_and_credits(vectors, near):
    for case in vectors["shapley_small"]:
        found = bridge.shapley(case["f0"], case["f1"])
        assert all(near(a, b) for a, b in zip(found, case["effects"], strict=True))
        assert near(sum(found), case["delta"])


def test_lmdi_knows_that_equal_costs_may_hide_movement(vectors, near):
    trap = vectors["lmdi"]["equal_cost_trap"]
    found = bridge.lmdi(trap["cell0"], trap["cell1"])
    assert all(near(a, b) for a, b in zip(found, trap["effects"], strict=True))
    for case in vectors["lmdi"]["log_mean"]:
        assert near(bridge.log_mean(case["a"], case["b"]), case["L"])
    two = vectors["lmdi"]["two_sector"]
    cells = [bridge.lmdi(a, b) for a, b in zip(two["cells0"], two["cells1"], strict=True)]
    assert all(near(sum(c), e) for c, e in zip(zip(*cells, strict=True), two["effects"], strict=True))


def test_a_mean_moves_by_rates_and_by_mix(vectors, near):
    group = vectors["rate_mix_midpoint"]
    rate, mix = bridge.rate_and_mix((group["w0"], group["w1"]), (group["p0"], group["p1"]))
    assert near(rate, group["rate"])
    assert near(mix, group["mix"])


def test_the_surprising_dimension_explains_the_change(vectors, near):
    dims = vectors["adtributor"]["dims"]
    split = {}
    for name, rows in dims.items():
        members = {key: row for key, row in rows.items() if not key.startswith("_")}
        split[name] = tuple({k: r[side] for k, r in members.items()} for side in ("forecast", "actual"))
        found = {e.key: e for e in adtributor.elements(*split[name])}
        for key, row in members.items():
            assert near(found[key].power, row["ep"])
            assert round(found[key].surprise, 12) == row["surprise"]
        assert round(sum(e.surprise for e in found.values()), 12) == rows["_total_surprise"]
    best = adtributor.explain(split)[0]
    assert best.dimension == "device"
    assert {e.key for e in best.elements} == {"Mobile", "Tablet"}


def test_the_prediction_interval_is_that_of_the_published_example(vectors, near):
    group = vectors["t_prediction_interval"]
    found = prediction.upper_bound(group["n"], group["mean"], group["sd"], group["boundary"])
    assert near(found, group["upper"])
    assert round(found, 2) == 121.46
