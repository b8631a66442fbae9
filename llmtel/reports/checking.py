"""The report of `llmtel check`: the verdict first, what failed in full, the rest in a line, and how sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from llmtel.checks.check import Report, Result
from llmtel.checks.rules import Split
from llmtel.checks.side import Side
from llmtel.checks.verdict import State
from llmtel.core.answers import Block, Document, Judgement, Judgements, Line, Outcome
from llmtel.core.errors import Exit
from llmtel.reports.causes import Grounds, reasons
from llmtel.reports.context import Context
from llmtel.reports.judging import about, change, judgement, segment, sentence
from llmtel.reports.rolled import KIND as ROLLED
from llmtel.reports.trust import in_calls, price_line, records, remarks

if TYPE_CHECKING:
    from llmtel.reports.sharing import Sharing

WORDS: Mapping[Outcome, str] = {"fail": "FAIL", "warn": "WARN", "info": "OK", "pass": "OK"}
SHORT_COMMIT = 7
MOST_EXPLAINED = 10
"""Failures and warnings that are explained; with more, somebody has to look at the whole."""


class Circumstances(Struct, frozen=True):
    """What the report says beside the verdicts.

    `unwritten`: nobody wrote rules, so that the good defaults held. `missing` is where a baseline was looked
    for in vain. `moment` is when this was. `code` is the exit code. `accept` is the command that takes the
    change for the new normal, `save` the one that makes a first baseline. `other` are the paths of the other
    side, where it has some. `tag` tells several comments on a pull request apart. `explain` asks how each
    verdict was found.
    """

    moment: datetime
    code: Exit = Exit.OK
    unwritten: bool = False
    missing: str | None = None
    accept: str | None = None
    save: str | None = None
    other: Sequence[str] | None = None
    tag: str = "default"
    explain: bool = False


def checking(report: Report, grounds: Grounds, context: Context, said: Circumstances) -> Document:
    """The answer to a check, for people and for machines."""
    sharing = context.sharing
    unshown = () if sharing is None else _unshown(report, grounds, context.tz, sharing)
    seen = [result for result in report.results if not any(result is one for one in unshown)]
    report = structs.replace(report, results=tuple(seen))
    results = sorted(report.results, key=lambda r: ("fail", "warn", "info", "pass").index(r.reaction))
    explained = [r for r in results if r.reaction in ("fail", "warn") and r.verdict.state != "missing"]
    causes = {id(r): reasons(r, report, grounds) for r in explained[:MOST_EXPLAINED]}
    judgements = tuple(
        structs.replace(
            judgement(result, report), **causes.get(id(result), {}), command=_command(result, context, said)
        )
        for result in results
    )
    if sharing is not None:
        judgements = tuple(map(sharing.judgement, judgements))
    if said.unwritten:
        judgements = tuple(structs.replace(one, file=None, line=None) for one in judgements)
    outcome = judgements[0].outcome if judgements else "pass"
    block = Judgements(
        WORDS[outcome],
        outcome,
        _headline(report, results, said, empty=grounds.after.is_empty()),
        judgements,
        explained=said.explain,
        least=None if sharing is None else sharing.k,
    )
    return Document(
        schema=context.schema,
        title=sentence(results[0]) if outcome == "fail" else block.headline,
        blocks=(block, *_left_out(unshown, context), *_lines(report, context, said, outcome)),
        meta={
            **context.meta(grounds.after),
            "tag": said.tag,
            "generated_at": said.moment.isoformat(),
            "baseline": side_meta(report.base, report.age),
            "summary": _summary(report, said),
            "results": [{**j.data, **_why(j)} for j in judgements],
        },
        judgements=judgements,
        closing=_closing(report),
    )


def _unshown(report: Report, grounds: Grounds, tz: str, sharing: Sharing) -> list[Result]:
    """The results about segments of too few people, and those about a window, which are not looked at."""
    sides = [side for side in (grounds.before, grounds.after) if side is not None]
    of: dict[Split, list[Result]] = {}
    for result in report.results:
        of.setdefault(result.rule.split, []).append(result)
    if sharing.k == 1 or not sides:
        return []
    looked = {split: all_ for split, all_ in of.items() if not split.window and sharing.allows(split)}
    keys = {split: list(dict.fromkeys(one.key for one in all_)) for split, all_ in looked.items()}
    found = sharing.segments(sides, [(split.where, split.by, keys[split]) for split in looked], tz)
    fine = {
        (split, key)
        for split, why in zip(looked, found, strict=True)
        for key, reason in zip(keys[split], why, strict=True)
        if reason is None
    }
    return [one for one in report.results if (one.rule.split, one.key) not in fine]


def _left_out(unshown: Sequence[Result], context: Context) -> list[Block]:
    """That verdicts are not shown, if they are not."""
    if not unshown or context.sharing is None:
        return []
    whose = f"are about fewer than {context.sharing.k} users, or named after what is not shared"
    said = f"{in_calls(len(unshown), 'verdict')} not shown: they {whose}; the exit code is of all"
    return [Line(said, "shared")]


def _headline(report: Report, results: Sequence[Result], said: Circumstances, *, empty: bool) -> str:
    """The verdict in a sentence: the gravest thing, or that nothing is."""
    if not results:
        return "no rules, nothing to check"
    if empty:
        return f"no calls in {report.current.label}"
    grave = [r for r in results if r.reaction in ("fail", "warn")]
    failed = [r for r in results if r.reaction == "fail"]
    if failed:
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        return f"{len(failed)} of {len(results)} checks · {sentence(failed[0])}{more}"
    if not report.compared and report.base is None:
        return f"nothing to compare with yet: {said.missing or 'there is no baseline'}"
    if grave:
        return f"{len(grave)} of {len(results)} checks · {sentence(grave[0])}"
    if not report.compared:
        return f"nothing was compared · {sentence(results[0])}"
    return f"{_unchanged(results)} · {_closing(report)}"


def _unchanged(results: Sequence[Result]) -> str:
    """One line when green: the price of a call, if that was looked at, and how it moved."""
    compared = [r for r in results if r.evidence.held == "both" and r.state != "insufficient"]
    return _in_words(compared[0]) if compared else f"{in_calls(len(results), 'check')}, none violated"


def _in_words(result: Result) -> str:
    """A result in a few words: "cost per call $0.0202 (−0.4 %, 180 paired cases)"."""
    unit = result.rule.definition.unit
    who = f" of {segment(result)}" if segment(result) else ""
    floor = result.verdict.reason if result.verdict.below else ""
    inside = ", ".join(part for part in (change(result), about(result), floor) if part)
    metric = result.rule.metric.replace("_", " ")
    return f"{metric}{who} {unit.show(result.evidence.current)}{f' ({inside})' if inside else ''}"


def _lines(report: Report, context: Context, said: Circumstances, outcome: Outcome) -> list[Block]:
    """How many comparisons were made, on which prices, what to do, and what the reader noticed."""
    green = outcome in ("pass", "info") and bool(report.compared)
    lines = [] if green else [Line(_closing(report))]
    if said.unwritten:
        rules = ", ".join(
            f"{rule.metric} {level.limits[0]}" for rule in report.rules for level in rule.levels
        )
        lines.append(Line(f"{rules} (nobody wrote rules: llmtel check --init does)", name="default rules"))
    if said.missing is not None and said.save:
        lines.append(Line(said.save, name="make one"))
    lines += _about_age(report, private=context.sharing is not None)
    lines += [] if green else _about_prices(report.base, context)
    if outcome in ("pass", "info") and not context.account.rejected:
        return [*lines, *remarks([note for note in context.notes if note.kind == ROLLED], ())]
    trust = [records(context.account), price_line(context.prices)]
    lines.append(Line(" · ".join((*trust, *([f"exit {said.code:d}"] if said.code else [])))))
    lines += remarks(context.notes, context.shown_rejects())
    if said.accept and outcome == "fail":
        lines.append(Line(said.accept, name="accept it"))
    return [*lines]


def _closing(report: Report) -> str:
    commit = report.base.commit if report.base else None
    return report.sentence() + (f" at {commit[:SHORT_COMMIT]}" if commit else "")


def _about_prices(base: Side | None, context: Context) -> list[Line]:
    """That the two sides were priced with two books: where the baseline's was not changed, costs were."""
    if base is not None and base.repriced:
        old = f"made with the list of {base.repriced.get('as_of')} #{base.repriced['sha256'][:6]}"
        return [Line(f"the baseline, {old}, at the prices of this run", name="repriced")]
    book = base.prices if base else {}
    if book.get("sha256", context.prices.sha256) == context.prices.sha256:
        return []
    said = f"the baseline is priced with the list of {book.get('as_of')} #{book['sha256'][:6]}"
    return [Line(f"{said}; where prices changed since, costs did", name="two price lists")]


def _about_age(report: Report, *, private: bool) -> list[Line]:
    """That the baseline is old, and that exemptions have run out; what these say is not for others."""
    found = []
    if report.staleness != "fresh":
        most = report.rules.baseline.max_age_days
        found.append(Line(f"the baseline is {report.age} days old, and may be {most:g}", "stale", grave=True))
    found += (
        []
        if private
        else [
            Line(f"of {e.check} until {e.until}: {e.reason}", "exemption expired", grave=True)
            for e in report.expired
        ]
    )
    return found


def side_meta(side: Side | None, age: int | None = None) -> dict[str, Any] | None:
    """A side of a comparison, for machines."""
    if side is None:
        return None
    times = {
        name: None if moment is None else moment.isoformat()
        for name, moment in (("first", side.first), ("last", side.last), ("saved", side.saved))
    }
    return {
        "label": side.label,
        "calls": side.calls,
        "counted": side.noun,
        **times,
        "age_days": age,
        "commit": side.commit,
        "accepted": side.accepted,
        "prices": dict(side.prices),
        "repriced": dict(side.repriced) or None,
    }


def _summary(report: Report, said: Circumstances) -> dict[str, Any]:
    states: tuple[State, ...] = (
        "fail",
        "inconclusive",
        "improved",
        "exempt",
        "insufficient",
        "new",
        "missing",
        "no_baseline",
    )
    return {
        "compared": report.compared,
        **{state: report.count(state) for state in states},
        "passed": report.count("pass", "improved"),
        "sentence": report.sentence(),
        "exit": int(said.code),
        "calls_a_month": report.traffic.calls_a_month,
    }


def _why(judged: Judgement) -> dict[str, Any]:
    """Why a number moved, for machines."""
    if not judged.causes:
        return {}
    return {
        "why": [structs.asdict(cause) for cause in judged.causes],
        "basis": judged.basis,
        "who": judged.who,
        "since": judged.since,
        "rests": judged.rests,
        "lever": judged.lever,
        "cases": [structs.asdict(case) for case in judged.cases],
    }


def _command(result: Result, context: Context, said: Circumstances) -> str | None:
    """What shows more of a failure: both sides, split by case, or what the failing calls are."""
    if result.reaction != "fail" or said.other is None or result.evidence.held != "both":
        return None
    by = "case" if result.evidence.pairs else "model"
    where = [*result.rule.split.where]
    return context.command.between(said.other, by=by, where=where)
