"""Drawings made of characters: bars for shares, sparklines for numbers over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from llmtel.core.answers import Series, Timeline
from llmtel.render.text import clip, pad, visible, width

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"
BAR_CELLS = 8
"""The length of a bar that is the whole."""
_WIDEST_STEP = 4
_NARROWEST_CHART = 16
_ROOM_FOR_DATE = 60
_TICKS = (1, 2, 3, 6, 7, 12, 14, 24, 28, 48, 56, 84, 168, 364)


def bar(share: float | None, cells: int = BAR_CELLS) -> str:
    """A bar for a share of the whole, in eighths of a cell; something above zero is always seen."""
    if share is None or not share > 0:
        return ""
    eighths = max(1, round(min(share, 1.0) * cells * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def spark(values: Sequence[float | None], cells: int) -> str:
    """A column for each value, `cells` wide, from zero to the largest; a gap where there is none."""
    top = max((v for v in values if v is not None), default=0.0)
    return "".join((" " if v is None else _height(v, top)) * cells for v in values)


def _height(value: float, top: float) -> str:
    return _HEIGHTS[0 if top <= 0 else max(0, math.ceil(value / top * len(_HEIGHTS)) - 1)]


def timeline(block: Timeline, cells: int) -> list[str]:
    """The series below one another over one axis, in lines of at most `cells`.

    Where the steps are more than fit, a mark stands for several of them and shows the highest; the axis says so.
    """
    if not block.series:
        return []
    labels = [clip(visible(one.label), max(8, cells // 3)) for one in block.series]
    indent = max(map(width, labels)) + 2
    notes = [_peak(one, dated=cells >= _ROOM_FOR_DATE) for one in block.series]
    room = cells - indent - max(map(width, notes)) - 2
    stacked = room < _NARROWEST_CHART
    if stacked:
        indent, room = 0, cells
    steps = block.series[0].steps
    group = max(1, math.ceil(len(steps) / room))
    marks = math.ceil(len(steps) / group)
    per_mark = max(1, min(_WIDEST_STEP, room // max(1, marks)))
    lines = []
    for label, note, one in zip(labels, notes, block.series, strict=True):
        drawn = spark(_highest(one.values, group), per_mark)
        if stacked:
            lines += [f"{label}  {note}", drawn]
        else:
            lines.append(f"{pad(label, indent)}{pad(drawn, marks * per_mark)}  {note}")
    lines.append(" " * indent + _axis(steps[::group], per_mark))
    if group > 1:
        lines.append(clip(" " * indent + f"each mark: the highest of {group} steps", cells))
    return [line.rstrip() for line in lines]


def _highest(values: Sequence[float | None], group: int) -> list[float | None]:
    groups = (values[i : i + group] for i in range(0, len(values), group))
    return [max((v for v in some if v is not None), default=None) for some in groups]


def _peak(series: Series, *, dated: bool) -> str:
    """Where a series is highest: "max $27.91  Fri 13 Nov"."""
    known = [(v, -i) for i, v in enumerate(series.values) if v is not None]
    if not known:
        return ""
    value, at = max(known)
    figure = f"max {series.unit.show(value)}"
    return f"{pad(figure, 11)}  {_moment(series.steps[-at], weekday=True)}" if dated else figure


def _axis(steps: Sequence[str], per_mark: int) -> str:
    """Dates below the marks where they begin, as many as fit."""
    words = [_moment(step) for step in steps]
    widest = max(map(width, words), default=0)
    every = next((n for n in _TICKS if n * per_mark >= widest + 2), len(steps))
    line = ""
    for i in range(0, len(steps), every):
        line = pad(line, i * per_mark)
        if i * per_mark + width(words[i]) <= max(len(steps) * per_mark, widest):
            line += words[i]
    return line


def _moment(step: str, *, weekday: bool = False) -> str:
    """A day or an hour in words; any other step as it is."""
    try:
        moment = datetime.fromisoformat(step)
    except ValueError:
        return clip(visible(step), 16)
    day = f"{moment.day} {moment:%b}"
    if len(step) > len("2026-11-13"):
        return f"{day} {moment:%H:%M}" if weekday or moment.hour == 0 else f"{moment:%H:%M}"
    return f"{moment:%a} {day}" if weekday else day
