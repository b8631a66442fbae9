"""Reconciliation: what our logs say was used, against what the provider bills, and why they differ.

Both sides are summed by day (UTC, as providers bill) and model, and by project and API key where every call
and every bucket tells its own. The difference of a cell, billed − computed, is split into causes:

- *not in our logs*: requests that are billed and not logged, at the bill's usage per request;
- *not on the bill yet*: calls that are logged and not billed, at our usage per call;
- *token counts differ*: the rest of (billed usage − our usage), both at the price book's rates;
- *price differs*: what is billed − the billed usage at the price book's rates;
- *unexplained*: where a side lacks what the split needs (no tokens on the bill, no price for the model).

Money is in whole nano-dollars until `in_dollars`, so that the causes add up to the difference exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import polars as pl
from msgspec import Struct, field

from llmtel.core.schema import INPUT_LEAVES, LEAVES, OUTPUT_LEAVES
from llmtel.query.lower import IS_CALL, SAMPLE

NANO = 1e9
"""Nano-dollars in a dollar. Int64 holds nine billion dollars of them."""
CAUSES = ("not_in_logs", "not_on_bill", "token_counts", "price", "unexplained")
MONEY = ("cost_logged", "cost_computed", "cost_billed", "difference", *CAUSES)
COUNTS = ("calls", "requests", *LEAVES, *(f"billed_{leaf}" for leaf in LEAVES))


class LeftOut(Struct, frozen=True):
    """Calls that no export is about, so that they are no difference: how many, and what they cost (USD)."""

    calls: int
    cost: float | None


class Reconciliation(Struct, frozen=True):
    """The cells: keys `by`, COUNTS, MONEY (nano-dollars) and `reason` (why a difference is unexplained).

    `calls` are those that were compared.
    `first` and `last` are the days of the bill; `left_out` says what was not compared, by reason. `states`
    is whether the bill states costs; otherwise they are the billed usage at the price book's rates.
    """

    by: tuple[str, ...]
    cells: pl.DataFrame
    calls: pl.DataFrame
    first: date | None = None
    last: date | None = None
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    states: bool = True

    def summed(self, *by: str) -> pl.DataFrame:
        """COUNTS and MONEY by some of the keys, unknown only where all parts are; without keys one row."""
        sums = [_sum(pl.col(name)).alias(name) for name in (*COUNTS, *MONEY)]
        return self.cells.group_by(by).agg(sums).sort(by) if by else self.cells.select(sums)

    def tokens(self) -> Iterator[tuple[tuple[str, ...], int | None, int | None]]:
        """Tokens in the logs and on the bill, by fields.

        What one side alone tells apart (reasoning, a cache) is in the first field of the other: together they
        can be compared.
        """
        row = self.summed().row(0, named=True)
        for side in (INPUT_LEAVES, OUTPUT_LEAVES):
            counts = {leaf: (row[leaf], row[f"billed_{leaf}"]) for leaf in side}
            yield from _together({leaf: both for leaf, both in counts.items() if both != (None, None)})

    def gap(self) -> float | None:
        """|billed − computed| ÷ billed over the days of the bill; None where nothing is billed."""
        covered = self.cells.filter(pl.col("day") <= self.last) if self.last else self.cells
        billed, difference = map(int, covered.select(pl.col("cost_billed", "difference").sum()).row(0))
        return abs(difference) / billed if billed > 0 else None


def reconciled(calls: pl.DataFrame, bill: pl.DataFrame) -> Reconciliation:
    """Calls against a bill's buckets: both priced at the book's rates, with models of one spelling.

    Rows without a time are left out, and so are calls of days before the bill and of providers that it is not
    of; calls of later days are not on the bill yet.
    """
    bill = bill.filter(pl.col("ts").is_not_null())
    days = pl.col("ts").dt.date()
    first, last = bill.select(first=days.min(), last=days.max()).row(0)
    calls, left_out = _scoped(calls, bill, first)
    by = _keys(calls, bill)
    day = pl.col("ts").dt.date().alias("day")
    ours = calls.with_columns(day).group_by(by).agg(*_ours())
    states = bill.is_empty() or bool(bill["cost_logged"].is_not_null().any())
    theirs = bill.with_columns(day, _billed().alias("billed")).group_by(by).agg(*_theirs())
    cells = ours.join(theirs, on=by, how="full", coalesce=True, nulls_equal=True)
    cells = _split(cells).select(*by, *COUNTS, *MONEY, "reason").sort(by)
    return Reconciliation(by, cells, calls, first, last, left_out, states)


def _together(
    known: Mapping[str, tuple[int | None, int | None]],
) -> Iterator[tuple[tuple[str, ...], int | None, int | None]]:
    """The counts of one direction, those that one side alone has put to the first that both have."""
    leaves = tuple(known)
    if leaves and None not in known[leaves[0]]:
        alone = tuple(leaf for leaf in leaves if None in known[leaf])
        first = (leaves[0], *alone)
        yield first, sum(known[leaf][0] or 0 for leaf in first), sum(known[leaf][1] or 0 for leaf in first)
        leaves = tuple(leaf for leaf in leaves if leaf not in first)
    for leaf in leaves:
        yield (leaf,), *known[leaf]


def in_dollars(cells: pl.DataFrame) -> pl.DataFrame:
    """Nano-dollars as dollars: the nearest numbers to decimals of nine digits, which add up as printed."""
    # a division by a constant is done as a multiplication, which is less exact
    return cells.with_columns((pl.col(name) / NANO).round(9) for name in MONEY if name in cells.columns)


def _scoped(
    calls: pl.DataFrame, bill: pl.DataFrame, first: date | None
) -> tuple[pl.DataFrame, dict[str, LeftOut]]:
    """The calls that the bill is about, and the others by reason."""
    billed = bill["provider"].unique()
    elsewhere = (
        pl.lit(value=False)
        if billed.null_count() or billed.is_empty()
        else ~pl.col("provider").is_in(billed.implode()).fill_null(value=True)
    )
    before = pl.lit(value=False) if first is None else pl.col("ts").dt.date() < first
    reason = (
        pl.when(pl.col("ts").is_null()).then(pl.lit("without a time"))
        .when(elsewhere).then(pl.lit("of other providers than the bill's"))
        .when(before).then(pl.lit("before the first day of the bill"))
    )  # fmt: skip
    told = calls.with_columns(reason.alias("@reason"))
    groups = (
        told.filter(pl.col("@reason").is_not_null())
        .group_by("@reason")
        .agg(IS_CALL.sum().alias("calls"), _sum(pl.col("cost_usd")).alias("cost"))
        .sort("@reason")
    )
    left_out = {why: LeftOut(n, cost) for why, n, cost in groups.iter_rows()}
    return told.filter(pl.col("@reason").is_null()).drop("@reason"), left_out


def _keys(calls: pl.DataFrame, bill: pl.DataFrame) -> tuple[str, ...]:
    """What both sides can be split by: the day, and model, project, API key where the bill's money is."""
    money = bill.filter(pl.col("cost_logged").is_not_null())
    money = money if money.height else bill

    def shared(name: str) -> bool:
        # what does not tell its owner would be missing on one side, and be missed on the other as well
        told = calls.height and not calls[name].null_count() and not money[name].null_count()
        return bool(told) and not set(calls[name]).isdisjoint(money[name])

    model = () if money.height and money["model"].null_count() == money.height else ("model",)
    return ("day", *model, *filter(shared, ("project", "api_key")))


def _sum(values: pl.Expr) -> pl.Expr:
    """The sum of what is known, unknown where nothing is."""
    return pl.when(values.is_not_null().any()).then(values.sum())


def _nano(dollars: pl.Expr) -> pl.Expr:
    return (dollars * NANO).round().cast(pl.Int64)


def _tokens(of: str, leaves: Sequence[str]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(f"{of}{leaf}") for leaf in leaves)


def _ours() -> list[pl.Expr]:
    """The sums of calls; `billable` are those that a provider would count as requests."""
    refused = pl.col("price_flags").eq_missing(pl.lit("not_billed"))
    silent = (pl.col("status") == "error").fill_null(value=False) & pl.col("cost_usd").is_null()
    return [
        SAMPLE.filter(IS_CALL).sum().round().cast(pl.Int64).alias("calls"),
        SAMPLE.filter(IS_CALL & ~refused & ~silent).sum().alias("billable"),
        *((_sum(pl.col(leaf) * SAMPLE)).round().cast(pl.Int64).alias(leaf) for leaf in LEAVES),
        _nano(_sum(pl.col("cost_logged") * SAMPLE)).alias("cost_logged"),
        _nano(_sum(pl.col("cost_usd") * SAMPLE)).alias("cost_computed"),
    ]


def _billed() -> pl.Expr:
    """What a row of a bill says is owed: the stated cost, and the usage's only if no row states any."""
    states = pl.col("cost_logged").is_not_null().any().over("provider")
    return pl.when(states).then(pl.col("cost_logged")).otherwise(pl.col("cost_usd"))


def _theirs() -> list[pl.Expr]:
    used = pl.any_horizontal(pl.col(leaf).is_not_null() for leaf in LEAVES)
    unpriced = (used & pl.col("cost_usd").is_null()).any()
    usage = _sum(pl.when(used).then(pl.col("cost_usd")))
    return [
        _sum(pl.col("request_count")).alias("requests"),
        *(_sum(pl.col(leaf)).alias(f"billed_{leaf}") for leaf in LEAVES),
        _nano(_sum(pl.col("billed"))).alias("cost_billed"),
        _nano(pl.when(~unpriced).then(usage)).alias("usage"),
        pl.lit(value=True).alias("on_bill"),
    ]


def _same_tokens() -> pl.Expr:
    """Whether both sides count the same tokens; what the bill does not tell apart is inside its totals."""
    total = (_tokens("", INPUT_LEAVES) == _tokens("billed_", INPUT_LEAVES)) & (
        _tokens("", OUTPUT_LEAVES) == _tokens("billed_", OUTPUT_LEAVES)
    )
    parts = (
        pl.col(f"billed_{leaf}").is_null() | (pl.col(f"billed_{leaf}") == pl.col(leaf).fill_null(0))
        for leaf in INPUT_LEAVES[1:]
    )
    counted = pl.any_horizontal(pl.col(f"billed_{leaf}").is_not_null() for leaf in LEAVES)
    return counted & total & pl.all_horizontal(parts)


def _split(cells: pl.DataFrame) -> pl.DataFrame:
    """The difference and its causes."""
    logged, billed = pl.col("calls").is_not_null(), pl.col("on_bill").fill_null(value=False)
    ours, owed, usage = pl.col("cost_computed"), pl.col("cost_billed"), pl.col("used_at_list")
    difference = pl.when(owed.is_not_null() | ours.is_not_null()).then(owed.fill_null(0) - ours.fill_null(0))
    only_billed = billed & ~logged
    unbilled = logged & (~billed | owed.is_null())
    told = logged & billed & owed.is_not_null() & ours.is_not_null() & usage.is_not_null()
    more = pl.col("requests") - pl.col("billable")
    # Where the tokens agree no call is missing, and our cost is the better one: call by call, with tiers.
    missing = (usage * more / pl.col("requests")).round().cast(pl.Int64)
    waiting = (ours * more / pl.col("billable")).round().cast(pl.Int64)
    apart = told & ~pl.col("same")
    zero = pl.when(difference.is_not_null()).then(pl.lit(0, dtype=pl.Int64))
    cells = cells.with_columns(_same_tokens().fill_null(value=False).alias("same"))
    cells = cells.with_columns(pl.when("same").then(ours).otherwise("usage").alias("used_at_list"))
    cells = cells.with_columns(
        difference=difference,
        not_in_logs=pl.when(only_billed).then(owed).when(apart & (more > 0)).then(missing).otherwise(zero),
        not_on_bill=pl.when(unbilled).then(-ours).when(apart & (more < 0)).then(waiting).otherwise(zero),
        price=pl.when(told).then(owed - usage).otherwise(zero),
        reason=pl.when(logged & billed & owed.is_not_null() & ours.is_null())
        .then(pl.lit("no price for the calls"))
        .when(logged & billed & owed.is_not_null() & usage.is_null())
        .then(pl.lit("no tokens or no price on the bill")),
    )
    rest = pl.col("not_in_logs") + pl.col("not_on_bill")
    return cells.with_columns(
        token_counts=pl.when(told).then(usage - ours - rest).otherwise(zero),
        unexplained=pl.when(pl.col("reason").is_not_null()).then(pl.col("difference")).otherwise(zero),
        # what a side does not have at all is known to be nothing
        calls=pl.col("calls").fill_null(0),
        cost_computed=pl.when(logged).then(ours).otherwise(0),
        cost_billed=pl.when(billed).then(owed).otherwise(0),
    )
