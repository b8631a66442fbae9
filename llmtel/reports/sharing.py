"""Reports for others (`--share`): no names of people, places or ids in them, and no numbers of few people.

Two things make one. What a report is made of is `masked` before any question is asked: a frame and a context
without what must not leave, so that no report can say it. And its tables and findings are `guarded` before
anything is made of them: a number of few people has no value in them, so that no renderer can show it.
`sealed` looks at the finished document and lets through only what was guarded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from llmtel.checks.rules import POOLED, Split
from llmtel.core.answers import (
    LEVER,
    Change,
    Finding,
    Judgement,
    Row,
    Table,
)
from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.schema import FIELDS
from llmtel.privacy.pseudonyms import Pseudonyms
from llmtel.privacy.redact import redacted
from llmtel.privacy.rules import REDACTIONS
from llmtel.privacy.settings import SHARED
from llmtel.privacy.values import NO_WORD
from llmtel.query import where
from llmtel.query.dimensions import DIMENSIONS, dimension
from llmtel.query.measures import Measure
from llmtel.query.metrics import METRICS
from llmtel.query.terms import terms
from llmtel.reports import small_cells

K = 5
"""People that a number rests on at least, where nothing else is said."""
PERSONS = ("user", "session")
IDS = ("call_id", "response_id", "trace", "file", "line")
"""Fields that are in nothing that is shared: they lead back to the logs."""
NEVER = ("session", *IDS)
PATH = "[PATH]"


class Sharing(Struct, frozen=True):
    """How a report is shared: `k` people at least, and the fields of SHARED that may be in it.

    `own_key` says that pseudonyms are of a key at hand, and the same in every report.
    """

    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms.random)
    k: int = K
    named: frozenset[str] = frozenset()
    own_key: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"--share-k {self.k}: at least 1")

    @property
    def left_out(self) -> tuple[str, ...]:
        """Fields of SHARED that are not in the report."""
        return tuple(name for name in SHARED if name not in self.named)

    def refuse(self, by: Iterable[str], metrics: Iterable[str] = ()) -> None:
        """Raise `UsageError` for a dimension by which nothing can be shared, and for a metric of one call."""
        for name in metrics:
            expr = METRICS[name].expr
            if self.k > 1 and isinstance(expr, Measure) and expr.how == "max":
                raise UsageError(f"{name} is the value of one call, and in no report that is shared")
        for name in by:
            needs = dimension(name).needs
            if needs & {*NEVER}:
                raise UsageError(f"{name} is in no report that is shared: it leads back to the logs")
            if unnamed := needs & {*self.left_out}:
                raise UsageError(
                    f"{name} is in a shared report only where the configuration names it: "
                    f"privacy: {{share: [{min(unnamed)}]}}"
                )
            if "user" in needs and self.k > 1:
                raise UsageError(
                    f"{name}: every row would be of one user, and rows of fewer than {self.k} are not shown; "
                    "--share-k 1 shows them under pseudonyms"
                )

    def refuses(self, name: str) -> bool:
        """Whether nothing can be shared by a dimension."""
        try:
            self.refuse([name])
        except UsageError:
            return True
        return False

    def refuse_baseline(self) -> None:
        """Raise `UsageError`, as a baseline does not say of how many people its numbers are."""
        if self.k > 1:
            raise UsageError(
                "--share: a baseline does not say of how many users its numbers are: compare with logs, or "
                "with --share-k 1"
            )

    def masked(self, calls: pl.DataFrame) -> pl.DataFrame:
        """Calls without what must not leave: persons are pseudonyms, ids are gone, odd names are redacted."""
        gone = [name for name in (*IDS, *self.left_out) if name in calls.columns]
        persons = [
            self.pseudonyms.of(calls[name].cast(pl.String), f"{name[0]}_")
            for name in PERSONS
            if name in calls.columns
        ]
        texts = [
            _safe(calls[name])
            for name, one in FIELDS.items()
            if name in calls.columns
            and one.dtype == pl.String
            and one.privacy != "personal"
            and not one.words
            and name not in gone
        ]
        nothing = [pl.lit(None, dtype=calls.schema[name]).alias(name) for name in gone]
        return calls.with_columns(*nothing, *persons, *texts)

    def safe(self, texts: Sequence[str | None]) -> list[str | None]:
        """Texts as they may be shared: what is an address, a key or a path in them is replaced."""
        return _safe(pl.Series(texts, dtype=pl.String)).to_list()

    def conditions(self, where: Sequence[str]) -> tuple[str, ...]:
        """Conditions on calls; of those on what is not shared only the name."""
        said = []
        for term in (term for text in where for term in terms(text)):
            hidden = term.name in {*NEVER, *IDS, *PERSONS, *self.left_out} or term.name.startswith("tags.")
            said.append(f"{term.name}{term.operator}…" if hidden else str(_safe(pl.Series([term.text]))[0]))
        return tuple(said)

    def allows(self, split: Split) -> bool:
        """Whether all that a split names may be named."""
        names = {term.name for text in split.where for term in terms(text)}
        return not any(self._names(name) for name in (*names, *split.by))

    def _names(self, name: str) -> bool:
        """Whether a name of a filter or of a split is of what is not shared."""
        hidden = {*NEVER, *PERSONS, *self.left_out}
        try:
            return name in hidden or bool(dimension(name).needs & hidden)
        except UnknownName:
            return name not in FIELDS

    def hides(self, field: str) -> bool:
        """Whether a field of single calls is not shown."""
        return field in {*NEVER, *self.left_out} or (field == "user" and self.k > 1)

    def listable(self, calls: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        """The calls that may be listed with these fields: many people have calls with the same words."""
        words = [n for n in names if n != "user" and (n in DIMENSIONS or FIELDS[n].dtype == pl.String)]
        return calls if self.k == 1 else small_cells.of_many(calls, words, self.k)

    def guarded(
        self, calls: pl.DataFrame, tables: Sequence[Table], found: Sequence[Finding], tz: str
    ) -> tuple[list[Table], tuple[Finding, ...]]:
        """Tables over the same masked calls, and findings about them, as they may be shown together.

        Rows of too few people, and those from which they would follow, have no values; findings about
        such are left out. Raises `UsageError` where the total is of too few people.
        """
        told = [finding for finding in found if finding.cells is not None]
        segments = [list(finding.cells or ()) for finding in told]
        why, gone = small_cells.suppressed(calls, tables, segments, self.k, tz)
        if any(reasons[0] for table, reasons in zip(tables, why, strict=True) if not table.by):
            raise self._too_few("all of it")
        shown = [self.hidden(table, reasons) for table, reasons in zip(tables, why, strict=True)]
        return shown, tuple(one for one, hidden in zip(told, gone, strict=True) if not hidden)

    def hidden(self, table: Table, why: Sequence[str | None], kept: Sequence[str] = ()) -> Table:
        """A table without the values of some rows; these stand at its end, where their place says nothing.

        What names a row stays, and the columns `kept`.
        """
        counts = table.n or [{}] * len(table.rows)
        rows = [
            (_emptied(row, (*table.by, *kept), reason), {} if reason else n)
            for row, n, reason in zip(table.rows, counts, why, strict=True)
        ]
        if not (table.by and dimension(table.by[0]).time):
            rows.sort(key=lambda pair: _order(pair[0], table.by))
        return replace(
            table,
            rows=[row for row, _ in rows],
            n=[n for _, n in rows] if table.n else (),
            columns=tuple(replace(column, known=None) for column in table.columns),
            least=self.k,
        )

    def judgement(self, one: Judgement) -> Judgement:
        """A verdict without where its rule stands, what to paste, and whom it points at."""
        details = tuple(detail for detail in one.details if detail[0] != "rule")
        return replace(
            one,
            causes=(),
            who="",
            since="",
            rests="",
            cases=(),
            command=None,
            file=None,
            line=None,
            details=details,
        )

    def segments(
        self,
        sides: Sequence[pl.DataFrame],
        splits: Sequence[tuple[Sequence[str], Sequence[str], Sequence[Sequence[str | None]]]],
        tz: str,
    ) -> list[list[str | None]]:
        """For each segment of splits (filters, dimensions, keys) why its numbers are not shown.

        The totals of the sides are. Raises `UsageError` where a side is itself of too few people.
        """
        total = pl.lit(value=True), Table((), (), (), [{}])
        tables = [(where.parse(filters, tz), _keys_as_rows(by, keys)) for filters, by, keys in splits]
        (whole,), *found = small_cells.of_both(sides, [total, *tables], self.k, tz)
        if whole is not None:
            raise self._too_few("a side")
        return found

    def _too_few(self, what: str) -> UsageError:
        """What is to be said where the whole is of too few people: then nothing of it can be shown."""
        return UsageError(
            f"--share: {what} is of fewer than {self.k} known users (sessions, where no user is known), so "
            "nothing of it can be shown; --share-k 1 hides nothing"
        )

    def change(
        self, change: Change | None, sides: Sequence[pl.DataFrame], by: Sequence[str]
    ) -> Change | None:
        """What is said of a change between two sides, where every cell of both is of enough people.

        What is looked for over all dimensions is left out: it ends with persons, or with very few.
        """
        if change is None or not all(small_cells.enough(side, by, self.k) for side in sides):
            return None
        facts = tuple(fact for fact in change.facts if fact[0] == LEVER)
        return replace(change, facts=facts, command=None, least=self.k)


def _safe(values: pl.Series) -> pl.Series:
    """Names as they may be shared: what is an address, a key or a path in them is replaced."""
    distinct = values.cast(pl.String).unique().drop_nulls()
    new = redacted(distinct, [rule for rule in REDACTIONS.values() if rule.anywhere])[0]
    new = pl.select(pl.when(new.str.contains(NO_WORD)).then(pl.lit(PATH)).otherwise(new)).to_series()
    changed = (new != distinct).arg_true()
    if not changed.len():
        return values
    return values.cast(pl.String).replace(distinct.gather(changed), new.gather(changed))


def _keys_as_rows(by: Sequence[str], keys: Sequence[Sequence[str | None]]) -> Table:
    """Segments as rows of a table, with the pooled tail as such."""
    rows: list[Row] = [
        {**dict.fromkeys(by), "pooled": True} if tuple(key) == POOLED else dict(zip(by, key, strict=True))
        for key in keys
    ]
    return Table(tuple(by), (), (), rows)


def _emptied(row: Row, by: Sequence[str], reason: str | None) -> Row:
    """A row without its values, if there is a reason."""
    if reason is None:
        return row
    kept = {
        name: value if name in by or name in ("pooled", "pooled_count") else None
        for name, value in row.items()
    }
    return {**kept, "suppressed": reason}


def _order(row: Row, by: Sequence[str]) -> tuple[bool, bool, list[str]]:
    """Rows with values first, as they are; then those without, by name, and the tail last."""
    hidden = bool(row.get("suppressed"))
    return (bool(row.get("pooled")), hidden, [str(row[name]) for name in by] if hidden else [])
