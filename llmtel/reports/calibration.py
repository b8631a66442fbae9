"""`llmtel calibrate`: what logs have shown about tokenizers, and what to write into a price file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from llmtel.core.answers import Column, Document, Line, Row, Table
from llmtel.core.units import COUNT, NUMBER, TOKENS
from llmtel.reports.context import TOOL

COLUMNS = (
    Column("tokenizer", "TOKENIZER", "Name in the price book", "field"),
    Column("base", "base", "Encoding the texts were counted with", "field"),
    Column("models", "models", "Models that have shown it", "field"),
    Column("calls", "calls", "Calls with texts and logged counts", "metric", COUNT),
    Column("logged", "logged", "Tokens that the logs state", "metric", TOKENS),
    Column("counted", "counted", "Tokens of the texts in the base encoding", "metric", TOKENS),
    Column("inputs", "prompts", "Logged ÷ counted, prompts alone", "metric", NUMBER),
    Column("outputs", "answers", "Logged ÷ counted, answers alone", "metric", NUMBER),
    Column("factor", "factor", "Logged ÷ counted", "metric", NUMBER),
    Column("current", "book", "Factor of the price book in use", "metric", NUMBER),
)
NOTHING = "no call has both texts and token counts: there is nothing to learn from"


def calibration(factors: Sequence[Row], today: date, least: int | None = None) -> Document:
    """The factors as a table, and those that are to be written down as lines of a price file.

    `factors` map the ids of `COLUMNS` to values, and say whether there are `enough` calls to go by and
    whether the encoding is the models' own (`exact`). `today` is the day that the lines bear. `least` is of
    how many people each factor is at least.
    """
    if not factors:
        return Document("llmtel.calibrate/1", "Calibration", (Line(NOTHING),), meta={"tool": TOOL})
    rows = [{column.id: factor[column.id] for column in COLUMNS} for factor in factors]
    table = Table((), (), COLUMNS, rows, title="tokenizer", least=least)
    usable = [factor for factor in factors if factor["enough"] and not factor["exact"]]
    few = [factor for factor in factors if not factor["enough"] and not factor["exact"]]
    warnings = [Line(f"{f['tokenizer']}: {f['calls']} calls are too few to go by", grave=True) for f in few]
    learned = {f["tokenizer"]: {"base": f["base"], "factor": f["factor"]} for f in usable}
    return Document(
        "llmtel.calibrate/1",
        "Calibration",
        (table, *_price_file(usable, today), *warnings),
        (table,),
        meta={"tool": TOOL, "tokenizers": learned},
    )


def _price_file(usable: Sequence[Row], today: date) -> list[Line]:
    """What to write into a price file, on one line that is YAML."""
    entries = ", ".join(
        f"{f['tokenizer']}: {{base: {f['base']}, factor: {f['factor']:.3f}, measured: true, "
        f"checked: {today}, source: llmtel calibrate over {f['calls']} calls}}"
        for f in usable
    )
    return [Line(f"tokenizers: {{{entries}}}  # in a file for --pricing", name="PRICE")] if usable else []
