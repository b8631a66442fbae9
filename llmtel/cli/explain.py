"""`llmtel pricing explain`: one call, from the name in the log to the dollars, leaf by leaf."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmtel.cli import options as o
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llmtel.pricing.explain import Explanation

Read = Callable[[list[str]], "pl.DataFrame"]
"""What makes calls of paths."""
PLACE = re.compile(r"(.+):(\d+)", re.DOTALL)
CALL_FIELDS = (
    "call_id",
    "file",
    "line",
    "ts",
    "provider",
    "model",
    "service_tier",
    "batch",
    "region",
    "grain",
)

Call = Annotated[
    str,
    typer.Argument(
        help="A line of a log as text, FILE:LINE, a file of one call, - for standard input; or the call_id "
        "(or response_id) of a call in LOGS",
        metavar="CALL",
    ),
]
Logs = Annotated[
    list[str] | None, typer.Argument(help="Logs in which the call with this id stands", metavar="[LOGS...]")
]


def explain(
    call: Call = "-",
    logs: Logs = None,
    pricing: o.PriceFiles = None,
    price: o.Price = None,
    cost_source: o.Cost = o.CostSource.AUTO,
    store: o.Store = None,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    config: o.Config = None,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Why a call costs what it costs.

    How its name matched, the row with its dates and source, and the arithmetic leaf by leaf.
    """
    from llmtel.cli.output import write
    from llmtel.cli.prices import book_of, prices_of
    from llmtel.cli.settings import settle
    from llmtel.cli.shares import sharing
    from llmtel.pricing import explain as explaining
    from llmtel.pricing.tokenizers import tokenizer_of
    from llmtel.reports import price_book
    from llmtel.reports.sealing import sealed

    settings = settle(config, map_)
    shared = sharing(share, share_k, settings)
    if shared is not None and shared.k > 1:
        raise UsageError("--share: one call is of one user; --share-k 1 explains it without its id and place")
    book = book_of(settings, pricing, price)

    def read(paths: list[str]) -> pl.DataFrame:
        return settings.read(paths, input_format=input_format, tokenizer=tokenizer_of(book)).calls

    configured = settings.store if _may_be_an_id(call) else None
    one = _found(call, o.asked_of(logs, store, configured) if logs or store or configured else [], read)
    if shared is not None:
        one = shared.masked(one)
    why = explaining.explained(one, book, cost_source.value)
    row = one.row(0, named=True)
    facts = {name: row[name] for name in CALL_FIELDS if row[name] is not None}
    if "ts" in facts:
        facts["ts"] = row["ts"].isoformat()
    costs = {
        "cost_usd": why.cost,
        "computed": why.computed,
        "logged": why.logged,
        "price_id": why.price_id,
        "price_reason": why.reason,
        "price_flags": list(why.flags),
    }
    prices = prices_of(book, cost_source.value)
    story, least = why.story, None
    if shared is not None:
        own, prices, least = len(prices.layers) > 1, prices.shared(), shared.k
        story = tuple(one for one in story if not own or one[0] not in ("row", "source"))
    document = price_book.explained(facts, story, why.rows(), costs, prices, _cost(why), least)
    write(sealed(document, shared, ("call", "cost")), format_, output)


def _cost(why: Explanation) -> str:
    from llmtel.pricing.explain import reason_words
    from llmtel.reports.price_book import exact_usd

    said = "unknown: " + reason_words(why.reason or "") if why.cost is None else exact_usd(why.cost)
    flags = f" ({', '.join(why.flags)})" if why.flags else ""
    if why.logged is None:
        return said + flags
    beside = ""
    if why.computed is not None:
        gap = why.computed - why.logged
        share = f", {gap / why.logged:+.1%}" if why.logged else ""
        beside = f"; computed {exact_usd(why.computed)}, difference {exact_usd(float(f'{gap:.6g}'))}{share}"
    return f"{said}{flags} · the log states {exact_usd(why.logged)}{beside}"


def _found(call: str, logs: list[str], read: Read) -> pl.DataFrame:
    """The one call that is meant. Raises `UsageError` where none or several are."""
    import polars as pl

    if logs and call == "-":
        raise UsageError(f"which call of {' '.join(logs)}? Give its id: llmtel calls lists them")
    if logs:
        calls = read(logs)
        found = calls.filter(pl.any_horizontal(pl.col("call_id", "response_id").cast(pl.String) == call))
        where = " ".join(logs)
    elif call.lstrip().startswith(("{", "[")):
        found, where = _read_text(call, read), "the text"
    elif (place := PLACE.fullmatch(call)) and not Path(call).exists():
        found = read([place[1]]).filter(pl.col("line") == int(place[2]))
        where = call
    else:
        _refuse_nothing(call)
        found, where = read([call]), call
    if len(found) == 1:
        return found
    if len(found):
        raise UsageError(
            f"{where} has {len(found):,} calls; say which: FILE:LINE, or a call_id before the logs"
        )
    if call == "-":
        raise UsageError("standard input has no call; llmtel inspect - says how it is read")
    raise UsageError(f"there is no call {call[:60]!r} in {where}; llmtel calls lists them with line and id")


def _may_be_an_id(call: str) -> bool:
    """Whether it is neither text, nor a place in a log, nor a file, nor standard input."""
    if call == "-" or call.lstrip().startswith(("{", "[")):
        return False
    place = PLACE.fullmatch(call)
    return not Path(call).exists() and not (place and Path(place[1]).exists())


def _refuse_nothing(call: str) -> None:
    """A word that is neither a path nor text is most likely an id without its logs."""
    if call == "-":
        if sys.stdin.isatty():
            raise UsageError("explain takes a line of a log, FILE:LINE, or a call_id and the logs it is in")
    elif not Path(call).exists():
        raise UsageError(
            f"{call[:60]!r} is no file; an id needs the logs it is in: llmtel pricing explain ID logs/"
        )


def _read_text(text: str, read: Read) -> pl.DataFrame:
    """The calls of a log that is given as text; they have no file."""
    import tempfile

    import polars as pl

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.jsonl"
        path.write_text(text.strip() + "\n", "utf-8")
        return read([str(path)]).with_columns(file=pl.lit(None, dtype=pl.String))
