"""Answers: what was computed, as plain data with its meaning attached. Renderers see nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field

from llmtel.core.units import Unit

Level = Literal["error", "warning", "info"]
Better = Literal["lower", "higher"]
Outcome = Literal["fail", "warn", "info", "pass"]
Value = str | int | float | bool | None
Row = Mapping[str, Value]
Cell = Mapping[str, Value | tuple[Value, ...]]
"""A segment of calls: dimensions or fields, each with its value or several; none: all calls."""
LEVER = "try"
"""The fact of a change that says what can be done."""
SMALL, HELD_BACK = "<{}", "held back"
"""What stands in a row whose values are not shown: it is of fewer people than that, or one would follow."""
FORMULA = r"\s*[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001 (the wide forms are meant)
"""What spreadsheets take for the beginning of a formula, also after blanks ("CSV Injection", owasp.org)."""

NOT_COMPARED = ("insufficient", "new", "missing", "no_baseline")
"""States of a verdict that decided nothing, for want of calls or of a baseline."""


class Column(Struct, frozen=True):
    """What a column of a table means.

    `id` is the key in rows, JSON and CSV; `label` the words of a table's head; `unit` is None for text.
    `method` says how the number was found (`exact`, `histogram`, `estimated`, `observed`), for numbers where
    that is a question; `rel_error` is by which share of it a number from a histogram may be off. `known` is
    the share of the rows a metric is about whose value is known, over the whole table; the numbers rest on
    those alone. `null` says what a missing value of a dimension means: it is not known, or there was none
    (no error).
    """

    id: str
    label: str
    help: str
    kind: Literal["dimension", "metric", "field"]
    unit: Unit | None = None
    better: Better | None = None
    method: str | None = None
    known: float | None = None
    null: Literal["unknown", "none"] = "unknown"
    rel_error: float | None = None


class Table(Struct, frozen=True):
    """An answer in rows.

    A row maps every column id to a raw value, None when unknown, and may carry `pooled: True` (the tail,
    "other (N)", with `pooled_count: N`) or `suppressed` (why it has no values: "<5", "held back"). `by` are
    the ids of the dimensions, `metrics` those of the metrics, in order. `distinct` is how many groups there
    were before the tail was pooled. `n` goes with `rows`: on how many rows of calls each metric of that row
    rests. `bar` is the metric whose share of the whole is drawn as a bar beside it; `optional` are metrics to
    leave out of a narrow terminal, the first to go first (the others are wrapped, never dropped). `least`:
    every row with values is of so many people at least, and none without follows from those (None: nobody
    looked).
    """

    by: tuple[str, ...]
    metrics: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    title: str = ""
    distinct: int | None = None
    n: Sequence[Mapping[str, int]] = ()
    bar: str | None = None
    optional: tuple[str, ...] = ()
    least: int | None = None

    def column(self, name: str) -> Column:
        """The column with this id."""
        return next(c for c in self.columns if c.id == name)


class Finding(Struct, frozen=True):
    """Something a person should know: how grave, a number, a sentence, the evidence, a command to paste.

    `kind` is a stable word for machines (`unpriced`, `rejected`, `day_change`, …). `figure` is the number as
    shown, `money` and `calls` rank it among its siblings. `command` works when pasted into a shell.
    `cells` are the segments of calls of which it tells something (none: it tells of none); a finding that
    does not say is in no report that is shared.
    """

    level: Level
    kind: str
    text: str
    figure: str = ""
    command: str | None = None
    money: float = 0.0
    calls: float = 0.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    cells: tuple[Cell, ...] | None = None


class Card(Struct, frozen=True):
    """A corner of the headline: a name, one number, and the lines below it."""

    name: str
    figure: str
    lines: tuple[str, ...] = ()


class Headline(Struct, frozen=True):
    """The verdict in numbers: what was read, over which time, and the cards."""

    title: str
    cards: tuple[Card, ...]


class Series(Struct, frozen=True):
    """A number over time, one value a step (None: no calls), for a sparkline."""

    label: str
    unit: Unit
    steps: tuple[str, ...]
    values: tuple[float | None, ...]


class Timeline(Struct, frozen=True):
    """Several series over the same steps (days as YYYY-MM-DD, or hours)."""

    series: tuple[Series, ...]


class Findings(Struct, frozen=True):
    """Findings in order, under a heading."""

    title: str
    findings: tuple[Finding, ...]


class Line(Struct, frozen=True):
    """One sentence: an error, a line of trust, a note. `grave` ones are shown in the colour of a warning."""

    text: str
    name: str = ""
    grave: bool = False


class Snippet(Struct, frozen=True):
    """Text to copy into a file: shown as it stands, line by line, never wrapped or re-worded."""

    title: str
    lines: tuple[str, ...]
    language: str


class Cause(Struct, frozen=True):
    """A part of a change: what moved, by how much as shown, and its share of all that moved (for a bar)."""

    text: str
    figure: str
    share: float
    note: str = ""


class Change(Struct, frozen=True):
    """From one number to another: a title with both, the causes of it, and what is said of them by name.

    `command` shows more when pasted into a shell. `least`: all that is named is of so many people at least
    (None: nobody looked).
    """

    title: str
    causes: tuple[Cause, ...]
    facts: tuple[tuple[str, str], ...] = ()
    command: str | None = None
    least: int | None = None


class Moved(Struct, frozen=True):
    """A case of an evaluation and its number on both sides, as shown and as it is."""

    name: str
    before: str
    now: str
    change: str
    base: float
    current: float


class Judgement(Struct, frozen=True):
    """The verdict about one metric of one segment of calls, in words and in numbers.

    `check` is the id of the rule, `name` the metric with the filters that pick the segment, `metric` and
    `segment` the same apart (no segment: all calls), `labels` the segment as dimensions and values.
    `state` is the word of the verdict (`fail`, `inconclusive`, `new`, …), `outcome` how grave it is.
    `before`, `now`, `change`, `interval` and `limit` are as shown, empty where there is none; `about` says
    on what they rest, `month` what the change comes to. `causes` say where a change is from (in dollars
    of `basis`), `who` which values of a dimension explain it, `since` what is new, `rests` of how many calls
    the cost is known where that moves it, `cases` which moved most, `lever` what can be done, and `command`
    shows more; `details` are how it was found. `message` is the words of the rule's author. `value` is the
    current number with its `unit`. `file` and `line` are where the rule
    stands. `data` are the raw numbers.
    """

    check: str
    name: str
    metric: str
    segment: str
    state: str
    outcome: Outcome
    reason: str
    before: str = ""
    now: str = ""
    change: str = ""
    interval: str = ""
    limit: str = ""
    about: str = ""
    month: str = ""
    causes: tuple[Cause, ...] = ()
    basis: str = ""
    who: str = ""
    since: str = ""
    rests: str = ""
    cases: tuple[Moved, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    lever: str = ""
    command: str | None = None
    message: str | None = None
    value: float | None = None
    unit: Unit | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None
    line: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def compared(self) -> bool:
        """Whether it was decided one way or the other."""
        return self.state not in NOT_COMPARED


class Judgements(Struct, frozen=True):
    """Verdicts, the gravest first, below what they come to: a word (`FAIL`) and a sentence.

    `explained` asks for each in full, with its `details`: how it was found. `least`: each is of so many
    people at least (None: nobody looked).
    """

    word: str
    outcome: Outcome
    headline: str
    judgements: tuple[Judgement, ...]
    explained: bool = False
    least: int | None = None

    @property
    def green(self) -> bool:
        """Whether nothing is wrong, and something was compared to say so."""
        return self.outcome in ("pass", "info") and any(j.compared for j in self.judgements)

    def of(self, *outcomes: Outcome) -> tuple[Judgement, ...]:
        """Those that were decided and are as grave as one of these."""
        return tuple(j for j in self.judgements if j.outcome in outcomes)


Block = Headline | Timeline | Table | Findings | Judgements | Change | Line | Snippet


class Document(Struct, frozen=True):
    """An answer to print: a title and blocks for people, and the same answer for machines.

    `schema` is the versioned name of the JSON form (`llmtel.analyze/1`); `meta` are its keys beside `tables`
    and `findings`. `tables` and `findings` are all of them, also those that people are not shown.
    """

    schema: str
    title: str
    blocks: tuple[Block, ...]
    tables: tuple[Table, ...] = ()
    findings: tuple[Finding, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    judgements: tuple[Judgement, ...] = ()
    closing: str = ""
