"""Why the cost of the last weeks is another than that of the weeks before, for the overview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from msgspec.structs import replace

from llmtel.checks.weeks import last_weeks
from llmtel.core.answers import Change
from llmtel.core.units import USD
from llmtel.reports.context import Context

if TYPE_CHECKING:
    from llmtel.checks.windows import Windows
    from llmtel.reports.bridges import Sides
    from llmtel.reports.causes import Bridged

LEAST_SHARE, LEAST_USD = 0.1, 1.0
"""A change is material from a tenth of what it was on, and a dollar: less is the weather."""
_MOST_CAUSES = 3


def lately(calls: pl.DataFrame, context: Context) -> tuple[Change | None, dict[str, Any] | None]:
    """The change of cost, its causes and the command that shows more, where it is material; and as JSON.

    The windows are the last weeks of the calls and as many before (`last_weeks`). Nothing where there are not
    two weeks of calls, or where their prices are imagined.
    """
    weeks = None if context.what_if else last_weeks(calls)
    if weeks is None:
        return None, None
    from llmtel.checks.cells import CELL_BY  # noqa: PLC0415 (slow to load)
    from llmtel.checks.windows import Windows  # noqa: PLC0415 (slow to load)

    windows = Windows(*weeks)
    before, now = windows.costs(calls)
    meta = {"days": windows.days, "before": before, "now": now, "material": _material(before, now)}
    if not meta["material"]:
        return None, meta
    from llmtel.reports.judging import percent, signed  # noqa: PLC0415 (slow to load)

    found, sides = _bridged(calls, windows, context)
    part = replace(context.command, paths=(f"prev {windows.days}d", *context.command.paths))
    command = part.paste("compare", by="feature" if any(key[0] for key in sides.after) else "model")
    title = (
        f"Cost of the last {windows.days} days: {USD.show(now)}, of the {windows.days} before: "
        f"{USD.show(before)} ({signed(now - before, USD)}, {percent(now / before - 1)})"
    )
    change = Change(title, found.causes, found.facts, command)
    if context.sharing is not None:
        parts = [calls.filter(windows.both, windows.now == now) for now in (False, True)]
        return context.sharing.change(change, parts, CELL_BY), meta
    return change, {**meta, "bridge": found.meta(), "command": command}


def _material(before: float, now: float) -> bool:
    return before > 0 and abs(now - before) >= max(LEAST_SHARE * before, LEAST_USD)


def _bridged(calls: pl.DataFrame, windows: Windows, context: Context) -> tuple[Bridged, Sides]:
    """The bridge between both windows, and its sides.

    What explains a change is loaded where there is one: it takes as long as the rest of a small report.
    """
    from llmtel.checks import why  # noqa: PLC0415 (slow to load)
    from llmtel.checks.cells import CELL_BY, noun_of  # noqa: PLC0415 (slow to load)
    from llmtel.reports.bridges import Sides, rests_on, told  # noqa: PLC0415 (slow to load)
    from llmtel.reports.causes import Bridged, by_cells, pointed_at, renamed, since  # noqa: PLC0415 (slow to load)

    cells = windows.cells(calls, context.rates)
    noun = noun_of(calls)
    sides = Sides(why.explain(*cells, noun=noun), *cells, noun)
    causes, lever = told(sides, most=_MOST_CAUSES)
    before, after = windows.seen(calls)
    told_already = renamed(before, after)
    kept = by_cells(sides, told_already)
    names = [name for name in why.SEARCHED if name not in {*told_already, *CELL_BY, "error"}]
    who = pointed_at({**kept, **windows.split(calls, names, context.tz)})
    rests = rests_on(sides, windows.calls(calls))
    return Bridged(sides.reasons, causes, who, since(before, after), lever, rests), sides
