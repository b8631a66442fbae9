"""A document as lines for a terminal or a text file: the numbers first, then their shape, who, what next, how sure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from llmtel.core.answers import Block, Card, Document, Finding, Findings, Headline, Level, Line, Table, Timeline
from llmtel.render.charts import timeline
from llmtel.render.ink import Ink
from llmtel.render.layout import lay_out
from llmtel.render.text import clip, pad, visible, width, wrap

MARGIN = 2
NARROWEST = 24
"""A terminal narrower than this gets lines of this width."""
MARKS: dict[Level, str] = {"error": "✗", "warning": "▲", "info": "·"}
_CARD_GAP = 4
_FIGURE = 12
_WORDS = re.compile(r"(?:[^\s'\"\\]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\")+")


def terminal(document: Document, cells: int, *, color: bool) -> str:
    """`document` in lines of at most `cells`; only the commands to paste may be wider, where a word of them is."""
    writer = _Writer(max(NARROWEST, cells) - MARGIN, Ink(color))
    return writer.document(document)


class _Writer:
    """Writes blocks in lines of at most `cells` (without the margin) and remembers which columns did not fit."""

    def __init__(self, cells: int, ink: Ink) -> None:
        self.cells = cells
        self.ink = ink
        self.dropped: dict[str, None] = {}

    def document(self, document: Document) -> str:
        parts: list[list[str]] = []
        if document.title and not any(isinstance(b, Headline | Line) for b in document.blocks[:1]):
            parts.append([self.ink.bold(line) for line in wrap(visible(document.title), self.cells)])
        before: Block | None = None
        for block in document.blocks:
            lines = self.block(block)
            if isinstance(block, Line) and isinstance(before, Line):
                parts[-1] += lines
            else:
                parts.append(lines)
            before = block
        if self.dropped:
            said = f"left out at this width: {', '.join(self.dropped)}"
            parts.append([self.ink.dim(line) for line in _hanging(said, self.cells, MARGIN)])
        margin = " " * MARGIN
        texts = ["\n".join(margin + line if line else "" for line in lines) for lines in parts if lines]
        return "\n\n".join(texts) + "\n"

    def block(self, block: Block) -> list[str]:
        match block:
            case Headline():
                return self.headline(block)
            case Timeline():
                return timeline(block, self.cells)
            case Table():
                return self.table(block)
            case Findings():
                return self.findings(block)
            case Line():
                return self.line(block)

    def headline(self, block: Headline) -> list[str]:
        lines = [self.ink.bold(line) for line in wrap(visible(block.title), self.cells)]
        for cards in _shelves(block.cards, self.cells):
            widths = [_card_width(card, self.cells) for card in cards]
            columns = [_card_lines(card, cells) for card, cells in zip(cards, widths, strict=True)]
            rows = [
                (" " * _CARD_GAP).join(map(pad, row, widths)).rstrip()
                for row in zip_longest(*columns, fillvalue="")
            ]
            lines += ["", self.ink.dim(rows[0]), self.ink.bold(rows[1]), *rows[2:]]
        return lines

    def table(self, block: Table) -> list[str]:
        laid = lay_out(block, self.cells, self.ink)
        self.dropped |= dict.fromkeys(laid.dropped)
        # The head of a single dimension is title enough.
        named = {column.label.casefold() for column in block.columns[:1]} | {", ".join(block.by).casefold()}
        title = "" if block.title.casefold() in named else visible(block.title)
        empty = [] if block.rows else [self.ink.dim("nothing")]
        return [*(self.ink.bold(line) for line in wrap(title, self.cells) if line), *laid.lines, *empty]

    def findings(self, block: Findings) -> list[str]:
        lines = [self.ink.bold(line) for line in wrap(visible(block.title).upper(), self.cells) if line]
        figures = min(max((width(visible(f.figure)) for f in block.findings), default=0), _FIGURE)
        for i, finding in enumerate(block.findings, 1):
            lines += self.finding(finding, f"{i:>{len(str(len(block.findings)))}}", figures)
        return lines

    def finding(self, finding: Finding, place: str, figures: int) -> list[str]:
        """The number and the sentence, side by side or, where the width is short, below one another; the command."""
        lead = width(place) + 3
        mark = self.ink.level(finding.level, MARKS[finding.level])
        figure = visible(finding.figure)
        beside = lead + figures + 2
        if width(figure) > figures or self.cells - beside < NARROWEST:
            figure, beside = clip(figure, self.cells - lead), lead
            said = ["", *wrap(visible(finding.text), self.cells - beside)]
        else:
            said = wrap(visible(finding.text), self.cells - beside)
            figure = pad(figure, figures + 2)
        first = f"{place} {mark} {self.ink.bold(figure)}{said[0]}".rstrip()
        rest = [" " * beside + line for line in said[1:]]
        return [first, *rest, *self.command(finding.command, beside)]

    def command(self, command: str | None, indent: int) -> list[str]:
        """A command that still works when it is pasted, though it stands on several lines."""
        if not command:
            return []
        pieces = [visible(word) for word in _WORDS.findall(command)]
        lines = [""]
        for piece in pieces:
            longer = f"{lines[-1]} {piece}".strip()
            # Two cells are kept for the backslash that continues the line.
            if lines[-1] and indent + width(longer) > self.cells - 2:
                lines.append(piece)
            else:
                lines[-1] = longer
        return [
            " " * indent + self.ink.dim(line + (" \\" if i < len(lines) - 1 else ""))
            for i, line in enumerate(lines)
        ]

    def line(self, block: Line) -> list[str]:
        name, text = visible(block.name), visible(block.text)
        lines = _hanging(f"{name}  {text}" if name else text, self.cells, MARGIN)
        if block.grave:
            return [self.ink.level("warning", line) for line in lines]
        if name:
            return [self.ink.bold(lines[0][: len(name)]) + lines[0][len(name) :], *lines[1:]]
        return lines


def _hanging(text: str, cells: int, indent: int) -> list[str]:
    """Wrapped lines, all but the first indented."""
    first, *_ = wrap(text, cells)
    rest = text[len(first) :].lstrip()
    return [first, *(" " * indent + line for line in (wrap(rest, cells - indent) if rest else []))]


def _card_width(card: Card, cells: int) -> int:
    texts = map(visible, (card.name, card.figure, *card.lines))
    return min(max(map(width, texts)), cells)


def _card_lines(card: Card, cells: int) -> list[str]:
    lines: Iterable[str] = (line for text in card.lines for line in wrap(visible(text), cells))
    return [clip(visible(card.name), cells), clip(visible(card.figure), cells), *lines]


def _shelves(cards: Sequence[Card], cells: int) -> list[list[Card]]:
    """The cards side by side, as many on a shelf as fit."""
    shelves: list[list[Card]] = []
    left = 0
    for card in cards:
        needed = _card_width(card, cells) + _CARD_GAP
        if not shelves or needed - _CARD_GAP > left:
            shelves.append([])
            left = cells
        shelves[-1].append(card)
        left -= needed
    return shelves
