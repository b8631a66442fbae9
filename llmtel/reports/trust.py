"""The lines of trust: what was read, what became of it, which prices and method, what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from llmtel.core.account import Account, Note, Reject
from llmtel.core.answers import Line, Table
from llmtel.core.units import COUNT
from llmtel.findings.joined import SEVERAL
from llmtel.reports.context import Context, Prices

PARTS = {
    "calls": "calls",
    "duplicates": "duplicates",
    "rejected": "rejected",
    "other": "other",
    "blank": "blank",
    "unfinished": "unfinished",
    "expired": "expired",
}
SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def lines(
    context: Context,
    *,
    timed: int | None,
    total: Table | None = None,
    absent: Sequence[str] = (),
    priced: bool = True,
) -> tuple[Line, ...]:
    """The lines that close a report.

    `timed` is the number of calls behind the latencies (None: no latency is known).
    `total` shows by its methods whether sums are estimates.
    `absent` are words for what no call knows and was therefore left out. `priced` is False where no number
    of the report rests on prices.
    """
    read = f"{files(context.account)} · {records(context.account)}"
    method = [price_line(context.prices)] if priced else []
    if timed:
        kind = ", failed ones too" if context.include_failed else " that did not fail"
        method.append(f"latency of {in_calls(timed)}{kind}, exact (linear interpolation)")
    took = f"{context.seconds:.1f} s"
    said = [Line(read), Line(" · ".join((*method, took)))] if method else [Line(f"{read} · {took}")]
    if total is not None and any(column.method == "estimated" for column in total.columns):
        said.append(Line("a sampled log: a call stands for 1 ÷ its sample_rate, and sums are estimates"))
    if n := context.account.reconciled:
        said.append(
            Line(f"token counts of {in_calls(n)} reconciled: cache or reasoning is beside the totals")
        )
    if context.timeless:
        said.append(
            Line(
                f"without a time, and left out by --since/--until: "
                f"{in_calls(context.timeless, context.account.noun)}"
            )
        )
    if absent:
        said.append(Line(f"not in these logs, and left out: {', '.join(absent)}"))
    told = [note for note in context.notes if note.kind != SEVERAL]
    return (*said, *remarks(told, context.shown_rejects()))


def price_line(prices: Prices) -> str:
    """Where the costs are from, with every price file and option of the user by name."""
    if prices.source == "logged" or prices.stated:
        return "costs as the logs state them"
    if prices.source == "frozen":
        return "costs as they were stored with the calls (--freeze-cost), not your invoice"
    mine = "".join(f" + {layer}" for layer in prices.layers[1:])
    less = f" less your discounts ({', '.join(prices.discounts)})" if prices.discounts else ""
    shown = prices.shown_in
    seen = f"; shown in {shown['code']} at {shown['per_usd']} per USD ({shown['source']})" if shown else ""
    held = f"; of {prices.frozen:,} calls as stored with them" if prices.frozen else ""
    return f"list prices of {prices.as_of}{mine} #{prices.sha256[:6]}{less}{held}, not your invoice{seen}"


def remarks(notes: Sequence[Note], rejects: Sequence[Reject]) -> tuple[Line, ...]:
    """What the reader decided or noticed, and the rejected records with their places."""
    return (
        *(Line(_noted(note)) for note in notes),
        *(Line(str(reject), name="rejected", grave=True) for reject in rejects),
    )


def _noted(note: Note) -> str:
    """The sentence of a note, with its file where it does not name it."""
    named = note.file is None or note.text.startswith(note.file)
    return note.text if named else f"{note.file}: {note.text}"


def in_calls(n: float, noun: str = "call") -> str:
    """A number of calls, or of other things: "1 call", "5,012 calls"."""
    return f"{COUNT.show(n)} {noun if n == 1 else f'{noun}s'}"


def files(account: Account) -> str:
    """How much was read: "5 files, 2.6 MB"."""
    noun = "file" if account.files == 1 else "files"
    return f"{COUNT.show(account.files)} {noun}, {size(account.bytes)}"


def records(account: Account) -> str:
    """The account as a sum: "5,055 records = 5,012 calls + 36 duplicates + 7 rejected (list: --rejects)"."""
    words = PARTS | {"calls": f"{account.noun}s"}
    parts = [_counted(n, word) for name, word in words.items() if (n := getattr(account, name))]
    where = " (list: --rejects)" if account.rejected else ""
    total = _counted(account.records, "records")
    return f"{total} = {' + '.join(parts)}{where}" if parts else "no records"


def _counted(n: int, things: str) -> str:
    return f"{COUNT.show(n)} {things.removesuffix('s') if n == 1 else things}"


def size(n: float) -> str:
    """Bytes for people, in powers of ten."""
    for limit, unit in SIZES:
        if n >= limit:
            return f"{n / limit:.1f} {unit}"
    return f"{n:.0f} bytes"
