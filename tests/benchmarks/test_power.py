"""The simulation of the gate: its limits are binomial, its predictions those of the design."""

import pytest
from power import Limit, predicted, scenarios


def test_a_limit_is_missed_only_by_more_than_chance_explains():
    assert Limit("at most", 0.05).met(0.057, 2000)
    assert not Limit("at most", 0.05).met(0.059, 2000)
    assert Limit("at least", 0.8).met(0.79, 2000)
    assert not Limit("at least", 0.8).met(0.78, 2000)
    assert Limit("near", 0.44).met(0.39, 2000)
    assert not Limit("near", 0.44).met(0.36, 2000)


def test_clusters_cost_the_power_that_the_design_says():
    assert predicted(100, 10) == pytest.approx(0.44, abs=0.01)
    assert predicted(1000, 1) == pytest.approx(0.88, abs=0.02)


def test_a_large_change_of_paired_cases_is_seen_and_none_is_not():
    by_name = {one.name: one for one in scenarios()}
    quiet, loud = (by_name[f"{change}, 50 paired cases, > +5%"] for change in ("no change", "+10 %"))
    assert sum(map(loud.fails, range(10))) >= 9
    assert sum(map(quiet.fails, range(10))) <= 1
