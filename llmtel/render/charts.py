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
_NARROWEST_CHART, _WIDEST_CHART = 16, 60
_ROOM_FOR_DATE = 60
_DAY_TICKS = (1, 2, 7, 14, 28, 56, 91, 182, 364)
_HOUR_TICKS = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 672)
_DAY = len("2026-11-13")


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

    Where the steps are more than fit, a mark stands for several of them and shows the highest, and the last
    line says so.
    """
    if not block.series or not block.series[0].steps:
        return []
    labels = [clip(visible(one.label), max(8, cells // 3)) for one in block.series]
    indent = max(map(width, labels)) + 2
    notes = _peaks(block.series, dated=cells >= _ROOM_FOR_DATE)
    room = cells - indent - max(map(width, notes)) - 2
    steps = block.series[0].steps
    # Below its label a series has the whole width: better than a mark for several steps.
    stacked = room < _NARROWEST_CHART or room < len(steps) <= cells
    if stacked:
        indent, room = 0, cells
    group = max(1, math.ceil(len(steps) / room))
    marks = math.ceil(len(steps) / group)
    per_mark = max(1, min(_WIDEST_STEP, min(room, _WIDEST_CHART) // max(1, marks)))
    lines = []
    for label, note, one in zip(labels, notes, block.series, strict=True):
        drawn = spark(_highest(one.values, group), per_mark)
        if stacked:
            lines += [f"{label}  {note}", drawn]
        else:
            lines.append(f"{pad(label, indent)}{pad(drawn, marks * per_mark)}  {note}")
    lines.append(" " * indent + _axis(steps[::group], per_mark))
    if group > 1:
        lines.append(clip(" " * indent + f"a mark: highest of {group} steps", cells))
    return [line.rstrip() for line in lines]


def _highest(values: Sequence[float | None], group: int) -> list[float | None]:
    groups = (values[i : i + group] for i in range(0, len(values), group))
    return [max((v for v in some if v is not None), default=None) for some in groups]


def _peaks(some: Sequence[Series], *, dated: bool) -> list[str]:
    """Where each series is highest: "max $27.91  Fri 13 Nov"; nothing for one without any value."""
    tops = [max(((v, -i) for i, v in enumerate(one.values) if v is not None), default=None) for one in some]
    figures = [f"max {one.unit.show(top[0])}" if top else "" for one, top in zip(some, tops, strict=True)]
    if not dated:
        return figures
    widest = max(map(width, figures))
    return [
        f"{pad(figure, widest)}  {_moment(one.steps[-top[1]], weekday=True)}" if top else ""
        for one, figure, top in zip(some, figures, tops, strict=True)
    ]


def _axis(steps: Sequence[str], per_mark: int) -> str:
    """Dates below the marks where they begin, as many as fit."""
    words = [_moment(step) for step in steps]
    widest = max(map(width, words), default=0)
    ticks = _DAY_TICKS if len(steps[0]) <= _DAY else _HOUR_TICKS
    every = next((n for n in ticks if n * per_mark > widest), len(steps))
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
    if len(step) > _DAY:
        return f"{day} {moment:%H:%M}" if weekday or moment.hour == 0 else f"{moment:%H:%M}"
    return f"{moment:%a} {day}" if weekday else day
