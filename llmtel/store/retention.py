"""Retention: days expire, and their rollups outlive them."""

from __future__ import annotations

from datetime import date

import polars as pl
from msgspec import Struct

from llmtel.store.audit import audit
from llmtel.store.folder import Where, at
from llmtel.store.horizon import state
from llmtel.store.location import private
from llmtel.store.rewrite import swept
from llmtel.store.rollups import Made, Prices, replaced
from llmtel.store.swap import accepted
from llmtel.store.table import opened


class Expired(Struct, frozen=True):
    """Days that went, the calls of them, and the rollups that were made before."""

    days: int
    calls: int
    rollups: Made


def has_before(place: Where, first: date) -> bool:
    """Whether a store has calls of days before one."""
    return bool((opened(place).files["day"] < first).any())


def expire(place: Where, before: date, prices: Prices | None) -> Expired:
    """Drop the days before one, from earlier versions of the store too; calls of unknown time stay.

    What they leave behind is committed first: their rollups, with `prices`; or else nothing. Both are made of
    one snapshot of the calls: whoever commits calls in between has it done again.
    """
    folder = at(place)

    def work() -> Expired:
        calls = opened(folder)
        old = calls.files.filter(pl.col("day") < before)
        made = replaced(calls, old, prices)
        if old.height:
            audit(folder, f"expire before {before}", int(old["rows"].sum()), calls.version)
            calls.commit([], old["path"], state(before))
        return Expired(old["day"].n_unique(), int(old["rows"].sum()), made)

    with private(), folder.lock():
        done = accepted(work)
    if done.days:
        swept(folder, 0)
    return done
