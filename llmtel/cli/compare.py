"""`llmtel compare`: two sides, metric by metric, and why the cost is another."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from msgspec import Struct
from msgspec.structs import replace

from llmtel.cli import options as o
from llmtel.cli.logs import Logs, with_logs
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from llmtel.checks.rules import Rule
    from llmtel.checks.side import Segments, Side
    from llmtel.cli.answering import Question
    from llmtel.core.answers import Document
    from llmtel.reports.context import Context


class BridgeMethod(StrEnum):
    """How a cost bridge divides what several causes did together."""

    SHAPLEY = "shapley"
    LMDI = "lmdi"


CASE = "case"
Before = Annotated[
    str,
    typer.Argument(
        metavar="BEFORE",
        help="What was before: a file, folder or glob, a baseline, or a part of the logs, as in 'prev 7d'",
    ),
]
Now = Annotated[
    list[str] | None, typer.Argument(metavar="NOW...", help="The logs, or the store, to compare with it")
]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="NAME", help="Split by a dimension, e.g. feature, model, case", rich_help_panel=o.ASK
    ),
]
Top = Annotated[
    int, typer.Option("--top", min=1, metavar="N", help="Segments to show", rich_help_panel=o.ASK)
]
Bridge = Annotated[
    BridgeMethod,
    typer.Option(
        "--bridge",
        metavar="METHOD",
        help="How the cost bridge divides what several causes did together: shapley, or lmdi (by Shapley "
        "where a cell has a zero or a credit)",
        rich_help_panel=o.ASK,
    ),
]
Seed = Annotated[
    str, typer.Option("--seed", metavar="N", help="Another draw of the resampling", rich_help_panel=o.ASK)
]


@with_logs
def compare(
    before: Before,
    logs: Logs,
    now: Now = None,
    by: By = None,
    metrics: o.Metrics = None,
    top: Top = 10,
    bridge: Bridge = BridgeMethod.SHAPLEY,
    seed: Seed = "",
    strict: o.Strict = False,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> int:
    """Two sides, metric by metric: how much each moved, how sure that is, and why the cost is another.

    Logs, windows of the same logs and baselines are compared alike. Nothing is judged: that is llmtel check.
    """
    from llmtel.cli.output import write
    from llmtel.cli.shares import sharing
    from llmtel.cli.telling import exit_code, words
    from llmtel.reports.sealing import sealed

    settings = logs.settings()
    split = settings.named(words([by] if by else []))
    shared = sharing(share, share_k, settings)
    question = replace(logs.question(now, settings, split), sharing=shared)
    if shared is not None:
        shared.refuse(split, words(metrics))
    asked = _Asked(before, question, split, words(metrics), top, seed, bridge.value)
    document, context = asked.answer()
    write(sealed(document, question.sharing), format_, output)
    return exit_code(context.account, strict=strict)


class _Asked(Struct, frozen=True):
    """What is compared, and how."""

    before: str
    question: Question
    by: tuple[str, ...]
    metrics: tuple[str, ...]
    top: int
    seed: str
    bridge: Literal["shapley", "lmdi"]

    def answer(self) -> tuple[Document, Context]:
        """The report, and what was read. Wrong names raise before a byte is read."""
        from llmtel.checks.comparison import rules_for
        from llmtel.checks.measure import keys_of, measured
        from llmtel.reports.causes import Grounds
        from llmtel.reports.comparing import Comparison, comparing

        rules_for(self.metrics, self.by)
        sides = self._read()
        rules = self._rules(sides)
        sample = partial(measured, rules=rules, tz=self.question.tz)
        base, current = sides.base, sides.current
        if sides.before is not None:
            base = replace(sample(sides.before, label=sides.labels[0]), covered=sides.days[0])
        if base is None:
            raise UsageError(f"{self.before}: nothing to compare with")
        if current is None:
            found = sample(sides.calls, keep=keys_of(base, rules), label=sides.labels[1])
            current = replace(found, covered=sides.days[1])
        grounds = Grounds(sides.before if sides.current is None else None, sides.calls, self.question.tz)
        by_case = self.top if self.by == (CASE,) else 0
        return comparing(
            Comparison(rules, base, current, grounds, self.seed, by_case, self.bridge), sides.context
        ), (sides.context)

    def _read(self) -> _Sides:
        """Both sides: a baseline as it is, the rest as calls."""
        from llmtel.checks import baseline
        from llmtel.checks.earlier import window
        from llmtel.cli.alike import both
        from llmtel.cli.sides import as_far_as, is_baseline
        from llmtel.reports.rolled import of_both

        paths = self.question.paths
        base = baseline.load(Path(self.before)) if is_baseline(self.before) else None
        current = baseline.load(Path(paths[0])) if len(paths) == 1 and is_baseline(paths[0]) else None
        shared = self.question.sharing
        if shared is not None and (base is not None or current is not None):
            shared.refuse_baseline()
        labels = (self.before, " ".join(paths)) if shared is None else ("before", "now")
        if current is not None:
            if base is not None:
                calls, context = self.question.unread("compare")
                return _Sides(calls, context, base=base, current=current)
            calls, context = replace(self.question, paths=(self.before,)).priced("compare")
            return _Sides(calls.clear(), context, calls, labels, current=current)
        asked = window(self.before)
        if asked is None and base is None:
            (calls, context), (before, further) = both(self.question, (self.before,), "compare")
            return _Sides(calls, of_both(context, further), before, labels)
        calls, context = self.question.priced("compare")
        if asked is not None:
            context = as_far_as(context, calls, asked)
            earlier, now = asked.parts(calls)
            said = (earlier.label, now.label), (earlier.days, now.days)
            return _Sides(now.calls, context, earlier.calls, *said)
        return _Sides(calls, context, None, labels, base=base)

    def _rules(self, sides: _Sides) -> tuple[Rule, ...]:
        """The metrics as rules; where a side is a file those that it holds."""
        from llmtel.checks.comparison import rules_for
        from llmtel.checks.rules import Split
        from llmtel.reports.comparing import default

        held = dict(sides.files(self.before, self.question.paths))
        split = self.by
        if not held:
            # Cases are told by how much they moved, not as segments of one call each.
            split = () if split == (CASE,) else split
            both = [side for side in (sides.calls, sides.before) if side is not None]
            found = rules_for(self.metrics or default(both, split=bool(self.by)), split)
            return tuple(replace(r, settings=replace(r.settings, max_segments=self.top)) for r in found)
        if split == (CASE,):
            splits = [pair for side in held.values() for pair in side.splits.items()]
            split = next((one.by for one, segments in splits if _keeps_cases(segments)), ())
        metrics = None
        for name, side in held.items():
            segments = side.segments(Split(by=split))
            if segments is None:
                raise UsageError(_not_split(name, side, split))
            kept = [metric for segment in segments.values() for metric in segment.samples]
            metrics = [m for m in dict.fromkeys(kept) if metrics is None or m in metrics]
        return rules_for([m for m in metrics or () if not self.metrics or m in self.metrics], split)


class _Sides(Struct, frozen=True):
    """Both sides: the calls that are at hand (none of a file), what was read, and the files.

    `days` are those that the calls are of, where they do not lie in a row.
    """

    calls: pl.DataFrame
    context: Context
    before: pl.DataFrame | None = None
    labels: tuple[str, str] = ("", "")
    days: tuple[float | None, float | None] = (None, None)
    base: Side | None = None
    current: Side | None = None

    def files(self, before: str, now: Sequence[str]) -> list[tuple[str, Side]]:
        """The sides that are files, by their names."""
        pairs = ((before, self.base), (" ".join(now), self.current))
        return [(name, side) for name, side in pairs if side is not None]


def _not_split(name: str, side: Side, split: tuple[str, ...]) -> str:
    held = sorted({", ".join(one.by) or "nothing" for one in side.splits})
    return (
        f"{name} is not split by {', '.join(split) or 'nothing'}; it is split by {' and by '.join(held)}. "
        "Compare with the logs themselves, or save it with such a rule"
    )


def _keeps_cases(segments: Segments) -> bool:
    """Whether a split of a baseline has costs and the like by case."""
    from llmtel.checks.samples import Quotient

    samples = (sample for segment in segments.values() for sample in segment.samples.values())
    return any(isinstance(sample, Quotient) and sample.cases for sample in samples)
