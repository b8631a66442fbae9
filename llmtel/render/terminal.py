"""A document as lines for a terminal or a text file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from llmtel.core.answers import (
    Block,
    Card,
    Change,
    Document,
    Finding,
    Findings,
    Headline,
    Judgements,
    Level,
    Line,
    Snippet,
    Table,
    Timeline,
)
from llmtel.render.cells import heading, opening
from llmtel.render.charts import timeline
from llmtel.render.ink import Ink
from llmtel.render.judgements import judged
from llmtel.render.layout import lay_out, left_out
from llmtel.render.pseudonyms import for_people
from llmtel.render.text import clip, pad, visible, width, wrap

MARGIN = 2
NARROWEST = 24
"""A terminal narrower than this gets lines of this width."""
MARKS: dict[Level, str] = {"error": "✗", "warning": "▲", "info": "·"}
_CARD_GAPS = (2, 6)
"""The least and the most cells between two cards."""
_FIGURE = 12
_SENTENCE = 40
"""With fewer cells beside the number, a sentence begins below it."""
_WORDS = re.compile(r"(?:[^\s'\"\\]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\")+")


def terminal(document: Document, cells: int, *, color: bool) -> str:
    """`document` in lines of at most `cells`; only a command to paste is wider, where a word of it is."""
    writer = _Writer(max(NARROWEST, cells) - MARGIN, Ink(color))
    return writer.document(for_people(document))


class _Writer:
    """Writes blocks in lines of at most `cells`, without the margin; remembers which columns did not fit."""

    def __init__(self, cells: int, ink: Ink) -> None:
        self.cells = cells
        self.ink = ink
        self.dropped: dict[str, str] = {}

    def document(self, document: Document) -> str:
        for block in document.blocks:
            # What one table must leave out, all do: they are read across.
            self.dropped |= left_out(block, self.cells) if isinstance(block, Table) else {}
        written = [(block, self.block(block)) for block in document.blocks]
        if self.dropped:
            said = Line(f"left out at this width: {', '.join(self.dropped.values())}")
            written.append((said, self.line(said)))
        text = self.title(document)
        before: Block | None = None
        for block, lines in written:
            # Lines that follow one another are one paragraph.
            text += [""] if text and not (isinstance(block, Line) and isinstance(before, Line)) else []
            text += lines
            before = block
        return "".join(f"{' ' * MARGIN}{line}".rstrip() + "\n" for line in text)

    def title(self, document: Document) -> list[str]:
        """The document's title, where its first block does not say what was read."""
        if any(isinstance(block, Headline | Judgements | Line) for block in document.blocks[:1]):
            return []
        return [self.ink.bold(line) for line in wrap(opening(document), self.cells) if line]

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
            case Change() | Judgements():
                return judged(block, self.cells, self.ink)
            case Line():
                return self.line(block)
            case Snippet():
                return self.snippet(block)

    def headline(self, block: Headline) -> list[str]:
        lines = [self.ink.bold(line) for line in wrap(visible(block.title), self.cells)]
        for cards in _shelves(block.cards, self.cells):
            widths = [_card_width(card, self.cells) for card in cards]
            columns = [_card_lines(card, cells) for card, cells in zip(cards, widths, strict=True)]
            gap = " " * _card_gap(widths, self.cells)
            rows = [gap.join(map(pad, row, widths)).rstrip() for row in zip_longest(*columns, fillvalue="")]
            lines += ["", self.ink.dim(rows[0]), self.ink.bold(rows[1]), *rows[2:]]
        return lines

    def snippet(self, block: Snippet) -> list[str]:
        title = [self.ink.bold(line) for line in wrap(visible(block.title), self.cells) if line]
        return [*title, *map(visible, block.lines)]

    def table(self, block: Table) -> list[str]:
        rows = lay_out(block, self.cells, self.ink, without=self.dropped)
        title = [self.ink.bold(line) for line in wrap(heading(block), self.cells) if line]
        empty = [] if block.rows else [self.ink.dim("no rows")]
        return [*title, *rows, *empty]

    def findings(self, block: Findings) -> list[str]:
        lines = [self.ink.bold(line) for line in wrap(visible(block.title).upper(), self.cells) if line]
        figures = min(max((width(visible(f.figure)) for f in block.findings), default=0), _FIGURE)
        for i, finding in enumerate(block.findings, 1):
            lines += self.finding(finding, f"{i:>{len(str(len(block.findings)))}}", figures)
        return lines

    def finding(self, finding: Finding, place: str, figures: int) -> list[str]:
        """The number and the sentence, side by side if there is room, and the command below."""
        lead = width(place) + 3
        mark = self.ink.level(finding.level, MARKS[finding.level])
        figure = visible(finding.figure)
        beside = lead + figures + 2
        if width(figure) > figures or self.cells - beside < _SENTENCE:
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
        lines = [""]
        pieces = _pairs([visible(word) for word in _WORDS.findall(command)], self.cells - 2 - indent)
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


def _pairs(words: Sequence[str], cells: int) -> list[str]:
    """The words of a command, an option and its value as one where they fit into `cells`."""
    pieces: list[str] = []
    for word in words:
        option = bool(pieces) and pieces[-1].startswith("--") and " " not in pieces[-1]
        pair = f"{pieces[-1]} {word}" if option and not word.startswith("-") else ""
        if pair and width(pair) <= cells:
            pieces[-1] = pair
        else:
            pieces.append(word)
    return pieces


def _hanging(text: str, cells: int, indent: int) -> list[str]:
    """Wrapped lines, all but the first indented."""
    text = text.strip()
    first, *_ = wrap(text, cells)
    rest = text[len(first) :].lstrip()
    return [first, *(" " * indent + line for line in (wrap(rest, cells - indent) if rest else []))]


def _card_width(card: Card, cells: int) -> int:
    texts = map(visible, (card.name, card.figure, *card.lines))
    return min(max(map(width, texts)), cells)


def _card_gap(widths: Sequence[int], cells: int) -> int:
    least, most = _CARD_GAPS
    return max(least, min(most, (cells - sum(widths)) // max(1, len(widths) - 1)))


def _card_lines(card: Card, cells: int) -> list[str]:
    lines: Iterable[str] = (line for text in card.lines for line in wrap(visible(text), cells))
    return [clip(visible(card.name), cells), clip(visible(card.figure), cells), *lines]


def _shelves(cards: Sequence[Card], cells: int) -> list[list[Card]]:
    """The cards side by side, as many on a shelf as fit."""
    shelves: list[list[Card]] = []
    left = 0
    for card in cards:
        needed = _card_width(card, cells) + _CARD_GAPS[0]
        if not shelves or needed - _CARD_GAPS[0] > left:
            shelves.append([])
            left = cells
        shelves[-1].append(card)
        left -= needed
    return shelves
