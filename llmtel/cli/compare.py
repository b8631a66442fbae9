"""`llmtel compare`: two sides, metric by metric, and why the cost is another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmtel.cli import options as o
from llmtel.cli.logs import Logs, with_logs
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    from llmtel.checks.rules import Rule
    from llmtel.checks.side import Segments, Side
    from llmtel.cli.answering import Question
    from llmtel.core.answers import Document
    from llmtel.reports.context import Context

CASE = "case"
Before = Annotated[
    str,
    typer.Argument(
        metavar="BEFORE",
        help="What was before: a file, folder or glob, a baseline, or a part of the logs, as in 'prev 7d'",
    ),
]
Now = Annotated[list[str], typer.Argument(metavar="NOW...", help="The logs to compare with it")]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="NAME", help="Split by a dimension, e.g. feature, model, case", rich_help_panel=o.ASK
    ),
]
Top = Annotated[
    int, typer.Option("--top", min=1, metavar="N", help="Segments to show", rich_help_panel=o.ASK)
]
Seed = Annotated[
    str, typer.Option("--seed", metavar="N", help="Another draw of the resampling", rich_help_panel=o.ASK)
]


@with_logs
def compare(
    before: Before,
    now: Now,
    logs: Logs,
    by: By = None,
    metrics: o.Metrics = None,
    top: Top = 10,
    seed: Seed = "",
    strict: o.Strict = False,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> int:
    """Two sides, metric by metric: how much each moved, how sure that is, and why the cost is another.

    Logs, windows of the same logs and baselines are compared alike. Nothing is judged: that is llmtel check.
    """
    from llmtel.cli.answering import exit_code, words
    from llmtel.cli.output import write

    settings = logs.settings()
    split = settings.named(words([by] if by else []))
    question = logs.question(now, settings, split)
    asked = _Asked(before, question, split, words(metrics), top, seed)
    document, context = asked.answer()
    write(document, format_, output)
    return exit_code(context.account, strict=strict)


@dataclass(frozen=True)
class _Asked:
    """What is compared, and how."""

    before: str
    question: Question
    by: tuple[str, ...]
    metrics: tuple[str, ...]
    top: int
    seed: str

    def answer(self) -> tuple[Document, Context]:
        """The report, and what was read. Wrong names raise before a byte is read."""
        from llmtel.checks import baseline
        from llmtel.checks.comparison import rules_for
        from llmtel.checks.measure import keys_of, measured
        from llmtel.cli.sides import PREVIOUS, is_baseline, windows
        from llmtel.reports.causes import Grounds
        from llmtel.reports.comparing import Comparison, comparing, default

        rules_for(self.metrics, self.by)
        base = baseline.load(Path(self.before)) if is_baseline(self.before) else None
        calls, context = self.question.priced("compare")
        earlier, label, now = None, self.before, " ".join(self.question.paths)
        if PREVIOUS.fullmatch(self.before.strip()):
            earlier, calls, now, label = windows(calls, self.before)
        elif base is None:
            earlier = replace(self.question, paths=(self.before,)).priced("compare")[0]
        known = earlier if calls.is_empty() and earlier is not None else calls
        wanted = self.metrics or default(known, split=bool(self.by))
        rules = self._rules(base, wanted)
        sample = partial(measured, rules=rules, tz=self.question.tz)
        if earlier is not None:
            base = sample(earlier, label=label)
        if base is None:
            raise UsageError(f"{self.before}: nothing to compare with")
        current = sample(calls, keep=keys_of(base, rules), label=now)
        grounds = Grounds(earlier, calls, self.question.tz)
        by_case = self.top if earlier is None and self.by == (CASE,) else 0
        return comparing(Comparison(rules, base, current, grounds, self.seed, by_case), context), context

    def _rules(self, base: Side | None, metrics: tuple[str, ...]) -> tuple[Rule, ...]:
        """The metrics as rules; of a baseline file those that it holds."""
        from llmtel.checks.comparison import rules_for
        from llmtel.checks.rules import Split

        if base is None:
            found = rules_for(metrics, self.by)
            return tuple(replace(r, settings=replace(r.settings, max_segments=self.top)) for r in found)
        split = self.by
        if split == (CASE,):
            split = next((one.by for one, held in base.splits.items() if _keeps_cases(held)), ())
        segments = base.segments(Split(by=split))
        if segments is None:
            held = sorted({", ".join(one.by) or "nothing" for one in base.splits})
            raise UsageError(
                f"{self.before} is not split by {', '.join(split) or 'nothing'}; it is split by "
                f"{' and by '.join(held)}. Compare with the logs themselves, or save it with such a rule"
            )
        kept = {name: None for segment in segments.values() for name in segment.samples}
        return rules_for([name for name in kept if not self.metrics or name in self.metrics], split)


def _keeps_cases(segments: Segments) -> bool:
    """Whether a split of a baseline has costs and the like by case."""
    from llmtel.checks.samples import Quotient

    samples = (sample for segment in segments.values() for sample in segment.samples.values())
    return any(isinstance(sample, Quotient) and sample.cases for sample in samples)
