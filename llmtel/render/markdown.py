"""A document as GitHub-flavoured Markdown: for a comment, an issue or a wiki page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from llmtel.core.answers import (
    Block,
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
from llmtel.render.cells import MADE_UP, Strip, heading, number, opening, strips
from llmtel.render.charts import timeline
from llmtel.render.pseudonyms import for_people
from llmtel.render.text import visible

_CHART_CELLS = 100
_MARKS: dict[Level, str] = {"error": "❌", "warning": "⚠️", "info": "ℹ️"}  # noqa: RUF001 (the sign is meant)
# An underscore within a word is only that.
_PUNCTUATION = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Of these GitHub makes links, without any mark-up, and notifies people; an empty comment parts them.
_LINKS = re.compile(r"(?<!\w)(?:@(?=\w)|#(?=\d))|(?<=:)//|(?<=www)\.|(?<=\w)@(?=[\w-]+\.\w)", re.IGNORECASE)
_PLAIN = re.compile(r"[\w .:/,;()+*=@#%&?!'\"~^$<>\[\]{}–…-]*")
_LINE_START = re.compile(r"(\d*)([-+=#.)])(?=[\s#=-]|$)")


def markdown(document: Document) -> str:
    """`document` as Markdown; nothing that came from a log is taken for mark-up, a link or a mention."""
    document = for_people(document)
    title = opening(document)
    parts = [f"### {escape(title)}"] if title else []
    parts += [text for block in document.blocks if (text := _block(block))]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text that reads in rendered Markdown as it is, also in the cell of a table."""
    plain = "".join(_HTML.get(c, c) for c in visible(text).strip())
    plain = _PUNCTUATION.sub(r"\\\g<0>", plain)
    if start := _LINE_START.match(plain):
        plain = f"{start[1]}\\{plain[start.start(2) :]}"
    return _LINKS.sub(lambda m: f"{m[0]}<!-- -->" if m[0] in "@#" else f"<!-- -->{m[0]}", plain)


def code(text: str) -> str:
    """Text in a code span, whatever backticks it holds; not for the cells of a table."""
    text = visible(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text.strip() else escape(text)


def cell_code(text: str) -> str:
    """A name from a log in a table: as code, and in a form that no bar or backtick of it breaks."""
    text = visible(text)
    if _PLAIN.fullmatch(text) and text.strip():
        return f"`{text}`"
    coded = (c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text)
    return f"<code>{''.join(coded)}</code>"


def _block(block: Block) -> str:
    match block:
        case Headline():
            return _headline(block)
        case Timeline():
            return _fenced(timeline(block, _CHART_CELLS))
        case Table():
            return _table(block)
        case Findings():
            return _findings(block)
        case Change() | Judgements():
            return _change(block)
        case Line():
            return _line(block)
        case Snippet():
            return f"{escape(block.title)}\n\n{_fenced(list(map(visible, block.lines)), block.language)}"


def _headline(block: Headline) -> str:
    title = f"**{escape(block.title)}**"
    heads = [escape(card.name) for card in block.cards]
    figures = [f"**{escape(card.figure)}**" for card in block.cards]
    lines = zip_longest(*(map(escape, card.lines) for card in block.cards), fillvalue="")
    table = grid(heads, [False] * len(heads), [figures, *lines])
    return f"{title}\n\n{table}" if block.cards else title


def _fenced(lines: Sequence[str], language: str = "") -> str:
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    return "\n".join((fence + language, *lines, fence)) if lines else ""


def _table(table: Table) -> str:
    if not table.by and len(table.rows) == 1 and table.metrics:
        return _total(table)
    columns = strips(table)
    cells = (s.cells if s.numeric else [_named(s, cell) for cell in s.cells] for s in columns)
    drawn = grid([escape(s.head) for s in columns], [s.numeric for s in columns], zip(*cells, strict=True))
    title = heading(table)
    return f"**{escape(title)}**\n\n{drawn}" if title else drawn


def _total(table: Table) -> str:
    """A table over nothing: a number a row, each with its unit."""
    columns = [c for c in table.columns if c.unit]
    figures = [c.unit.show(number(table.rows[0].get(c.id))) for c in columns if c.unit]
    rows = zip([escape(c.label) for c in columns], map(escape, figures), strict=True)
    return grid(["", escape(table.title)], [False, True], rows)


def _named(strip: Strip, cell: str) -> str:
    """What names a row as code; what stands for no value, and other words, as text."""
    made_up = cell in MADE_UP or cell.startswith("other (")
    return escape(cell) if made_up or not strip.key else cell_code(cell)


def grid(heads: Sequence[str], numeric: Sequence[bool], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are escaped already; numbers stand to the right."""
    rules = ["--:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rules, *rows))


def _findings(block: Findings) -> str:
    items = [_finding(finding, f"{i}. ") for i, finding in enumerate(block.findings, 1)]
    return "\n".join((*([f"**{escape(block.title)}**\n"] if block.title else []), *items))


def _finding(finding: Finding, place: str) -> str:
    figure = f"**{escape(finding.figure)}** " if finding.figure else ""
    said = f"{place}{_MARKS[finding.level]} {figure}{escape(finding.text)}"
    return f"{said}  \n{' ' * len(place)}{code(finding.command)}" if finding.command else said


def _change(block: Change | Judgements) -> str:
    """The causes of a change; of verdicts their sentence alone, as `comment` writes them in full."""
    if isinstance(block, Judgements):
        return f"**{escape(block.word)}** {escape(block.headline)}"
    rows = [(escape(c.text), escape(c.figure), escape(c.note)) for c in block.causes]
    facts = [f"**{escape(name)}** {escape(text)}  " for name, text in block.facts]
    table = grid(("why", "", ""), (False, True, False), rows)
    command = [code(block.command)] if block.command else []
    return "\n".join((f"**{escape(block.title)}**\n", table, "", *facts, *command)).rstrip()


def _line(block: Line) -> str:
    mark = f"{_MARKS['warning']} " if block.grave else ""
    name = f"**{escape(block.name)}** " if block.name else ""
    return f"{mark}{name}{escape(block.text)}"
