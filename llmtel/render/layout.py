"""Tables in lines that fit a width: columns aligned, wrapped, or left out where a table allows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import zip_longest

from msgspec.structs import replace

from llmtel.core.answers import Table
from llmtel.render.cells import Strip, number, strips
from llmtel.render.charts import BAR_CELLS, bar
from llmtel.render.ink import Ink
from llmtel.render.text import pad, visible, width, wrap

GAP = 2
NARROW = 60
"""Below this width a table that does not fit is told one number a line."""
_TEXT_FLOOR = 20
"""Texts wider than this are wrapped before a column is left out."""
_NAME = 26
"""Names of rows up to this width stay whole while there is a column that may be left out."""
_LONG_WORD = 32
"""Ids and times up to this are not broken; names of rows may be, rather than to leave out a number."""
_LONG_HEAD = 12
_HEAD_LINES = 2


def lay_out(table: Table, cells: int, ink: Ink, without: Collection[str] = ()) -> list[str]:
    """`table` in lines of at most `cells`.

    What does not fit gives way in this order: wide texts (wrapped), bars, the table's optional metrics; then
    the other columns are wrapped into a second table with the same keys, or, in a narrow terminal, told one a
    line. `without` are ids of columns to leave out if the table allows it, though they might fit.
    """
    if _is_total(table):
        return _total(table, cells)
    columns, _ = _give_way(table, cells, without)
    return _lines(columns, cells, ink)


def left_out(table: Table, cells: int) -> Mapping[str, str]:
    """The columns that do not fit into `cells` and are left out: their heads by id."""
    return {} if _is_total(table) else _give_way(table, cells)[1]


def _is_total(table: Table) -> bool:
    return not table.by and len(table.rows) == 1 and bool(table.metrics)


def _give_way(
    table: Table, cells: int, without: Collection[str] = ()
) -> tuple[list[Strip], Mapping[str, str]]:
    """The columns that stay, and the heads by id of those that do not."""
    columns = [_drawn(s, table) for s in strips(table)]
    by_id = {s.id: s for s in columns}
    bars = [s.id for s in columns if s.shares]
    dropped = {}
    for strip in (by_id[name] for name in dict.fromkeys((*bars, *table.optional)) if name in by_id):
        if strip.id in without or not _fits(columns, cells, name=_NAME):
            columns.remove(strip)
            dropped[strip.id] = strip.head
    return columns, dropped


def _lines(columns: Sequence[Strip], cells: int, ink: Ink) -> list[str]:
    if _fits(columns, cells):
        return _grid(columns, cells, ink)
    named = [s for s in columns if s.key] or list(columns[:1])
    others = [s for s in columns if s not in named]
    if cells < NARROW or not all(_fits([*named, other], cells) for other in others):
        return _records(named, others, cells, ink)
    return _panels(named, others, cells, ink)


def _drawn(strip: Strip, table: Table) -> Strip:
    """The column as a terminal shows it: shares as bars, which need no unit."""
    if strip.shares is None:
        return strip
    cells = tuple(bar(share).ljust(BAR_CELLS) for share in strip.shares)
    return replace(strip, head=visible(table.column(strip.id).label), cells=cells, numeric=False)


def _total(table: Table, cells: int) -> list[str]:
    """A table over nothing: a number a line, each with its unit."""
    columns = [c for c in table.columns if c.unit]
    labels = [visible(c.label) for c in columns]
    figures = [c.unit.show(number(table.rows[0].get(c.id))) for c in columns if c.unit]
    return _list(labels, figures, cells)


def _list(labels: Sequence[str], texts: Sequence[str], cells: int) -> list[str]:
    """Labels with a text each, the texts below one another and wrapped."""
    indent = min(max(map(width, labels), default=0), cells // 2) + GAP
    lines = []
    for label, text in zip(labels, texts, strict=True):
        beside = zip_longest(wrap(label, indent - GAP), wrap(text, cells - indent), fillvalue="")
        lines += [pad(left, indent) + right for left, right in beside]
    return [line.rstrip() for line in lines]


def _records(named: Sequence[Strip], others: Sequence[Strip], cells: int, ink: Ink) -> list[str]:
    """The heads of what names the rows, then each row as its name and, below it, one value a line."""
    lines = [ink.bold(line) for line in wrap(" · ".join(s.head for s in named), cells)]
    labels = [s.head for s in others]
    for i in range(len(named[0].cells)):
        lines += wrap(" · ".join(s.cells[i] for s in named if s.cells[i]), cells)
        lines += ["  " + line for line in _list(labels, [s.cells[i] for s in others], cells - GAP)]
    return lines


def _panels(named: Sequence[Strip], others: Sequence[Strip], cells: int, ink: Ink) -> list[str]:
    """The columns in several tables, one below the other, each with the names of the rows."""
    panels: list[list[Strip]] = []
    for strip in others:
        if panels and _fits([*named, *panels[-1], strip], cells):
            panels[-1].append(strip)
        else:
            panels.append([strip])
    grids = [_grid([*named, *panel], cells, ink) for panel in panels]
    return [line for i, grid in enumerate(grids) for line in (*([""] if i else []), *grid)]


def _grid(columns: Sequence[Strip], cells: int, ink: Ink) -> list[str]:
    """One table: a head and its rows, in columns as wide as they must be."""
    widths = _widths(columns, cells)
    heads = _row([s.head for s in columns], columns, widths)
    rows = zip(*(s.cells for s in columns), strict=True)
    return [*map(ink.bold, heads), *(line for row in rows for line in _row(row, columns, widths))]


def _row(texts: Sequence[str], columns: Sequence[Strip], widths: Sequence[int]) -> list[str]:
    """The lines of one row; a text wider than its column takes several."""
    gap = " " * GAP
    wrapped = [wrap(text, cells) for text, cells in zip(texts, widths, strict=True)]
    return [
        gap.join(
            pad(text, cells, right=s.numeric) for s, text, cells in zip(columns, parts, widths, strict=True)
        ).rstrip()
        for parts in zip_longest(*wrapped, fillvalue="")
    ]


def _fits(columns: Sequence[Strip], cells: int, name: int = _TEXT_FLOOR) -> bool:
    """Whether the columns can be laid side by side, with names of rows broken only beyond `name` cells."""
    return sum(_floor(s, name) for s in columns) + GAP * (len(columns) - 1) <= cells


def _widths(columns: Sequence[Strip], cells: int) -> list[int]:
    """The natural widths, with the widest texts narrowed until the whole fits."""
    widths = [_natural(s) for s in columns]
    excess = sum(widths) + GAP * (len(columns) - 1) - cells
    while excess > 0:
        # One cell at a time from the widest: the texts share what is left evenly.
        slack = [(w - _floor(s) > 0, w, -i) for i, (s, w) in enumerate(zip(columns, widths, strict=True))]
        widths[-max(slack)[2]] -= 1
        excess -= 1
    return widths


def _natural(strip: Strip) -> int:
    """Cells that a column takes when nothing of it is wrapped."""
    return max(1, width(strip.head), strip.widest)


def _floor(strip: Strip, name: int = _TEXT_FLOOR) -> int:
    """Cells that a column cannot do without: texts and long heads may be wrapped, numbers never."""
    least = max(1, _head_floor(strip.head))
    if strip.numeric:
        return max(least, strip.widest)
    words = 0 if strip.key else min(strip.longest_word, _LONG_WORD)
    return min(_natural(strip), max(least, words, name if strip.key else _TEXT_FLOOR))


def _head_floor(head: str) -> int:
    """Cells of a head on one line or, where it is long, on two."""
    whole = width(head)
    if whole <= _LONG_HEAD or " " not in head:
        return whole
    return next(n for n in range(whole // 2, whole + 1) if len(wrap(head, n)) <= _HEAD_LINES)
