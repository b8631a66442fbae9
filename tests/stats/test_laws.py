"""What must hold whatever the numbers are."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.stats import bootstrap, bridge, design, order, rates
from llmtel.stats.bootstrap import Clusters
from llmtel.stats.buckets import relative_error
from llmtel.stats.histogram import Histogram

STEADY = settings(deadline=None, max_examples=50)
sizes = st.floats(0, 1e6)
cells = st.dictionaries(
    st.sampled_from("abcd"), st.builds(bridge.Cell, sizes, sizes, st.floats(-1e-3, 1e-3)), max_size=4
)
amounts = st.one_of(st.just(0.0), st.floats(1e-7, 1e7), st.floats(-1e3, -1e-3))
samples = st.lists(amounts, max_size=40).map(Histogram.of)


def close(a, b, scale=1.0):
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9 * max(1.0, abs(scale)))


def exactly(cells):
    """The cost of all cells without any rounding."""
    return sum(Fraction(c.calls) * Fraction(c.tokens_per_call) * Fraction(c.price) for c in cells.values())


@STEADY
@given(cells, cells)
def test_a_bridge_adds_up_and_the_way_back_is_minus_the_way_there(a, b):
    there, back = bridge.bridge(a, b), bridge.bridge(b, a)
    size = sum(abs(effect) for effect in there.effects.values())
    assert close(sum(there.effects.values()), exactly(b) - exactly(a), size)
    assert close(there.change, exactly(b) - exactly(a), size)
    for line, back_line in zip(bridge.LINES, (*bridge.FACTORS, "removed", "new"), strict=True):
        assert close(there.effects[line], -back.effects[back_line], size)


@STEADY
@given(cells, cells)
def test_lines_in_cents_add_up_to_the_change_in_cents(a, b):
    found = bridge.bridge(a, b)
    cents = {line: round(x * 100) for line, x in found.cents().items()}
    assert sum(cents.values()) == round(found.after * 100) - round(found.before * 100)
    assert all(abs(cents[line] - 100 * x) <= 1 + 1e-6 * abs(x) for line, x in found.effects.items())


def same(a, b):
    return (
        (a.counts, a.zeros, a.negatives, a.low, a.high, a.scale)
        == (b.counts, b.zeros, b.negatives, b.low, b.high, b.scale)
    ) and close(a.sum, b.sum, 1e9)


@STEADY
@given(samples, samples, samples)
def test_histograms_merge_in_any_order(a, b, c):
    assert same((a + b) + c, a + (b + c))
    assert same(a + b, b + a)
    assert same((a + b).shifted(3), a.shifted(3) + b)
    assert same(Histogram.from_json(a.as_json()), a)


@STEADY
@given(st.lists(st.floats(1e-6, 1e7), min_size=1, max_size=60), st.floats(0, 1))
def test_a_quantile_is_off_by_no_more_than_the_bucket(values, q):
    exact = sorted(values)[math.floor(q * (len(values) - 1) + 1e-9)]
    found = Histogram.of(values).quantile(q)
    assert abs(found - exact) <= exact * (relative_error() + 1e-12)
    assert min(values) <= found <= max(values)


def test_a_finer_histogram_cannot_be_made_of_a_coarse_one():
    with pytest.raises(ValueError, match="no buckets"):
        Histogram.of([1.0], 3).shifted(5)


@STEADY
@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
def test_wilson_and_newcombe_stay_in_range_and_mirror(k, extra, l, more):  # noqa: E741 (as in the formula)
    a, b = rates.Rate(k, k + extra), rates.Rate(l, l + more)
    one = rates.wilson(a)
    assert 0 <= one.low <= a.share <= one.high <= 1
    there, back = rates.newcombe(a, b), rates.newcombe(b, a)
    assert there.low == pytest.approx(-back.high)
    assert rates.p_rise(a, b) == pytest.approx(1 - rates.p_rise(b, a))
    assert (rates.p_rise(a, b) < 0.025) == (there.low > 1e-12) or abs(there.low) < 1e-9


def test_more_hits_are_a_higher_interval():
    found = [rates.wilson(rates.Rate(k, 20)) for k in range(21)]
    assert found == sorted(found, key=lambda i: i.low)
    assert found == sorted(found, key=lambda i: i.high)


def test_mcnemar_is_the_sign_test_of_the_pairs_that_changed():
    rise, fall = rates.mcnemar(rates.Pairs(risen=8, fallen=2, both=5, neither=85))
    assert rise == pytest.approx((45 + 10 + 1) / 1024)
    assert fall == pytest.approx(1 - (10 + 1) / 1024)
    assert rates.mcnemar(rates.Pairs(0, 0, 5, 5)) == (1.0, 1.0)
    interval = rates.paired_interval(rates.Pairs(risen=8, fallen=2, both=5, neither=85))
    assert interval.low < 0.06 < interval.high


def lognormal(seed, clusters=200, level=0.0):
    chance = np.random.Generator(np.random.PCG64(seed))
    counts = chance.integers(1, 10, clusters).astype(float)
    return Clusters(np.exp(level + chance.normal(0, 1, clusters)) * counts, counts)


def test_the_bootstrap_says_the_same_again_and_mirrors():
    a, b = lognormal(1), lognormal(2, level=0.5)
    there = bootstrap.compare(a, b, 7)
    assert there == bootstrap.compare(a, b, 7)
    assert there != bootstrap.compare(a, b, 8)
    assert there.p_rise < 0.01
    assert there.p_fall > 0.99
    back = bootstrap.compare(b, a, 7)
    assert (back.p_rise, back.p_fall) == (there.p_fall, there.p_rise)
    assert 1 / (1 + back.relative.high) == pytest.approx(1 + there.relative.low)
    assert there.relative.low > 0 > back.relative.high


def test_the_same_on_both_sides_is_no_change():
    a = lognormal(3)
    found = bootstrap.compare(a, a, 1)
    assert found.relative.low < 0 < found.relative.high
    assert 0.3 < found.p_rise < 0.7
    paired = bootstrap.compare(a, a, 1, paired=True)
    assert (paired.relative.low, paired.relative.high, paired.p_rise) == (0, 0, 1)


def test_the_interval_has_the_width_that_theory_gives():
    a = lognormal(4, clusters=2000)
    found = bootstrap.compare(a, a, 1).relative
    theory = math.sqrt(2) * a.spread() / math.sqrt(a.counts.sum()) * 1.96
    assert math.log1p(found.high) == pytest.approx(theory, rel=0.1)
    assert math.log1p(found.low) == pytest.approx(-theory, rel=0.1)


def test_folding_keeps_totals_and_the_width_of_intervals():
    many = lognormal(5, clusters=40_000)
    few = many.folded()
    assert len(few) == bootstrap.MOST_CLUSTERS
    assert few.ratio == pytest.approx(many.ratio)
    assert few.spread() == pytest.approx(many.spread(), rel=0.1)


def test_free_calls_and_credits_have_absolute_changes_only():
    free = Clusters(np.zeros(50), np.ones(50))
    found = bootstrap.compare(free, lognormal(6, clusters=50), 1)
    assert found.relative is None
    assert found.absolute.low > 0
    assert found.p_rise < 0.01


def test_a_few_dear_clusters_are_noticed():
    sums = np.ones(300)
    assert not Clusters(sums, np.ones(300)).dominated
    sums[:3] = 1000
    assert Clusters(sums, np.ones(300)).dominated


def test_calls_that_are_alike_count_for_fewer():
    alike = design.design_effect(np.array([10.0, 0.0] * 50), np.full(100, 10.0))
    assert alike == pytest.approx(10, rel=0.02)
    chance = np.random.Generator(np.random.PCG64(1))
    independent = design.design_effect(chance.binomial(10, 0.3, 500).astype(float), np.full(500, 10.0))
    assert independent == pytest.approx(1, abs=0.15)
    assert design.design_effect(np.zeros(9), np.ones(9)) is None


def test_the_calls_that_a_proof_needs_are_those_of_the_design():
    assert design.calls_needed(1.8, 0.25) == pytest.approx(800, rel=0.02)
    assert design.calls_needed(1.8 * math.sqrt(3), 0.25) == pytest.approx(2400, rel=0.02)
    assert design.calls_needed(1.8, 0) is None


def test_resampled_quantiles_cover_as_the_order_statistics_do():
    values = sorted(lognormal(7, clusters=500).sums)

    def quantile(share):
        return values[min(int(share * len(values)), len(values) - 1)]

    found = sorted(order.resampled(quantile, len(values), 0.5, 2000, 1))
    exact = order.ranks(len(values), 0.5)
    assert found[50] == pytest.approx(values[exact.low - 1], rel=0.05)
    assert found[-50] == pytest.approx(values[exact.high - 1], rel=0.05)
