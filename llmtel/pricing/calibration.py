"""How a family of models counts: logged tokens beside those that its texts have in an encoding we have."""

from __future__ import annotations

import polars as pl
from msgspec import Struct
from msgspec.structs import asdict

from llmtel.core.schema import INPUT_LEAVES
from llmtel.pricing.entries import Book
from llmtel.pricing.tokenizers import name_of

FEWEST = 30
"""Calls below which a ratio says little."""


class Factor(Struct, frozen=True):
    """What the calls of one tokenizer of the book have shown.

    `logged` are the tokens that the logs state, `counted` those of the same texts in `base`. `inputs` and
    `outputs` are the ratios of prompts and answers alone (None: none had both): tools and images are in a
    logged prompt, but in no text. `current` is the book's factor, `exact` says that the encoding is the
    models' own.
    """

    tokenizer: str
    base: str
    models: tuple[str, ...]
    calls: int
    logged: int
    counted: int
    inputs: float | None
    outputs: float | None
    current: float
    exact: bool

    def row(self) -> dict[str, str | int | float | bool | None]:
        """For reports: every fact, with the `factor` (logged ÷ counted) and whether it rests on `enough`."""
        return {
            **asdict(self),
            "models": ", ".join(self.models),
            "factor": self.logged / self.counted,
            "enough": self.calls >= FEWEST,
        }


def factors(calls: pl.DataFrame, counted: pl.DataFrame | None, book: Book) -> tuple[Factor, ...]:
    """The factor of each tokenizer whose models have calls with texts and logged counts, by most calls.

    `counted` has, beside each call, the tokens of its texts (`prompt`, `output`). Answers of calls with
    hidden reasoning are compared by what was shown.
    """
    if counted is None:
        return ()
    known = pl.any_horizontal(pl.col(leaf).is_not_null() for leaf in INPUT_LEAVES)
    both = (
        calls.hstack(counted.rename({"prompt": "@in", "output": "@out"}))
        .select(
            pl.col("provider", "model").cast(pl.String),
            logged_in=pl.when(known & (pl.col("@in") > 0)).then(pl.sum_horizontal(INPUT_LEAVES)),
            logged_out=pl.when(pl.col("@out") > 0).then("output_text"),
            counted_in="@in",
            counted_out="@out",
        )
        .with_columns(
            counted_in=pl.when(pl.col("logged_in").is_not_null()).then("counted_in"),
            counted_out=pl.when(pl.col("logged_out").is_not_null()).then("counted_out"),
        )
        .filter(pl.any_horizontal("counted_in", "counted_out").is_not_null())
        .group_by("provider", "model")
        .agg(pl.len().alias("calls"), pl.col("^(logged|counted)_(in|out)$").sum())
    )
    groups: dict[str, list[dict[str, object]]] = {}
    for row in both.sort("provider", "model").iter_rows(named=True):
        groups.setdefault(name_of(book, row["provider"], row["model"]), []).append(row)
    found = [_factor(name, pl.DataFrame(rows), book) for name, rows in groups.items()]
    return tuple(sorted(found, key=lambda factor: (-factor.calls, factor.tokenizer)))


def _factor(name: str, rows: pl.DataFrame, book: Book) -> Factor:
    """The sums over all models of a tokenizer."""
    sums = {column: int(rows[column].sum()) for column in rows.columns if column not in ("provider", "model")}
    tokenizer = book.tokenizers[name]
    return Factor(
        tokenizer=name,
        base=tokenizer.base,
        models=tuple(str(model) for model in rows["model"].unique(maintain_order=True)),
        calls=sums["calls"],
        logged=sums["logged_in"] + sums["logged_out"],
        counted=sums["counted_in"] + sums["counted_out"],
        inputs=sums["logged_in"] / sums["counted_in"] if sums["counted_in"] else None,
        outputs=sums["logged_out"] / sums["counted_out"] if sums["counted_out"] else None,
        current=tokenizer.factor,
        exact=tokenizer.exact,
    )
