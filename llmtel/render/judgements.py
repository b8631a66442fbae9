"""The verdicts of a check as lines for a terminal: what failed in full, what did not in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmtel.core.answers import Cause, Change, Judgement, Judgements, Level, Outcome
from llmtel.render.charts import bar
from llmtel.render.ink import Ink
from llmtel.render.text import clip, pad, visible, width, wrap

_MARKS: dict[Outcome, str] = {"fail": "✗", "warn": "▲", "info": "–", "pass": "✓"}
_LEVELS: dict[Outcome, Level] = {"fail": "error", "warn": "warning", "info": "info", "pass": "info"}
_STILL = "±0"
"""A change that is none: there is nothing to say of it."""
_NAME = 9
_BAR = 20
_MOST_NAMED = 6
_MOST_IN_FULL = 20
"""With more failures than these the rest are named in a line; every machine's output has them all."""
_WIDEST_NAME = 42
_WIDE = 88
"""From this width on a limit stands beside the name."""


def judged(block: Judgements | Change, cells: int, ink: Ink) -> list[str]:
    """The lines of a verdict or of a change."""
    return judgements(block, cells, ink) if isinstance(block, Judgements) else change(block, cells, ink)


def judgements(block: Judgements, cells: int, ink: Ink) -> list[str]:
    """The verdict, then every failure in full, a line for each warning, and one for the rest."""
    lines = _head(block, cells, ink)
    if block.explained:
        return [
            *lines,
            *(line for j in block.judgements for line in ("", *_full(j, cells, ink, details=True))),
        ]
    skipped = _many(block.of("info"), "info", "not compared", cells)
    if block.green:
        return [*lines, *([""] if skipped else []), *skipped]
    failed = block.of("fail")
    for judgement in failed[:_MOST_IN_FULL]:
        namesakes = sum(j.name == judgement.name for j in block.judgements)
        lines += ["", *_full(judgement, cells, ink, alone=namesakes == 1)]
    more = _many(failed[_MOST_IN_FULL:], "fail", "more failed", cells)
    lines += ["", *more] if more else []
    warned = block.of("warn")
    gone = [j for j in warned if j.state == "missing"]
    together = gone if len(gone) > _MOST_NAMED else []
    briefs = [_brief(j, cells, ink) for j in warned if j not in together]
    briefs.append(_many(together, "warn", "missing", cells))
    passed = [j for j in block.judgements if j.outcome == "pass"]
    rest = [*_many(passed, "pass", "passed", cells), *skipped]
    told = [line for brief in briefs for line in brief]
    return [*lines, *([""] if told or rest else []), *told, *rest]


def _head(block: Judgements, cells: int, ink: Ink) -> list[str]:
    word = _MARKS["pass"] if block.green else block.word
    first, *rest = wrap(visible(block.headline), cells - width(word) - 2)
    head = f"{ink.level(_LEVELS[block.outcome], word)}  {ink.bold(first)}"
    return [head, *(" " * (width(word) + 2) + ink.bold(line) for line in rest)]


def _full(judged: Judgement, cells: int, ink: Ink, *, details: bool = False, alone: bool = True) -> list[str]:
    """A failure: the limit, before and now, the change and its interval, why, and what to do.

    Where it is not `alone` of its name its rule is named too.
    """
    mark = ink.level(_LEVELS[judged.outcome], _MARKS[judged.outcome])
    name, limit = visible(judged.name), f"limit {visible(judged.limit)}"
    beside = cells >= _WIDE and width(name) <= _WIDEST_NAME
    head = f"{mark} {ink.bold(pad(name, _WIDEST_NAME) if beside else clip(name, cells - 2))}"
    lines = [f"{head}  {limit}" if beside else head]
    facts = [
        ("rule", "" if alone else judged.check),
        ("limit", "" if beside else judged.limit),
        ("before", judged.before),
        ("now", f"{judged.now}        {judged.about}" if judged.before and judged.now else judged.now),
        ("change", _change(judged)),
        ("month", judged.month),
    ]
    lines += [line for name, text in facts if text for line in _fact(name, text, cells, ink)]
    if judged.causes:
        basis = judged.basis if not judged.month else ""
        lines += ["", *_causes(judged.causes, basis, cells, ink)]
    more = [
        ("mostly", judged.who),
        ("since", judged.since),
        ("rests on", judged.rests),
        ("note", judged.message or ""),
        ("try", judged.lever),
    ]
    if judged.state != "fail" or judged.outcome != "fail":
        more.append(("verdict", f"{judged.state.replace('_', ' ')}: {judged.reason}"))
    more += judged.details if details else ()
    told = [line for name, text in more if text for line in _fact(name, text, cells, ink)]
    told += _command(judged.command, cells, ink)
    return [*lines, *([""] if told and judged.causes else []), *told]


def _command(command: str | None, cells: int, ink: Ink) -> list[str]:
    lines = _wrapped(command, cells - _NAME - 2) if command else []
    return [f"  {' ' * _NAME}{ink.dim(line)}" for line in lines]


def _wrapped(command: str, cells: int) -> list[str]:
    lines = wrap(visible(command), max(20, cells - 2))
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def _change(judged: Judgement) -> str:
    if not judged.change:
        return ""
    sure = (
        f"        95 % sure it is between {judged.interval.replace(' … ', ' and ')}"
        if judged.interval
        else ""
    )
    return f"{judged.change}{sure}"


def _fact(name: str, text: str, cells: int, ink: Ink) -> list[str]:
    lines = wrap(visible(text), cells - _NAME - 2)
    first = f"  {ink.dim(pad(name, _NAME))}{lines[0]}"
    return [first, *(" " * (_NAME + 2) + line for line in lines[1:])]


def change(block: Change, cells: int, ink: Ink) -> list[str]:
    """The causes of a change below it, and what is said of them."""
    lines = [ink.bold(line) for line in wrap(visible(block.title), cells)]
    lines += _causes(block.causes, "", cells, ink) if block.causes else []
    facts = (line for name, text in block.facts for line in _fact(name, text, cells, ink))
    return [*lines, *facts, *_command(block.command, cells, ink)]


def _causes(causes: Sequence[Cause], basis: str, cells: int, ink: Ink) -> list[str]:
    """What moved the number, largest first, with a bar for its share."""
    texts = [visible(cause.text) for cause in causes]
    figures = [visible(cause.figure) for cause in causes]
    named, money = max(map(width, texts)), max(map(width, figures))
    bars = min(_BAR, cells - _NAME - named - money - 8)
    lines = _fact("", basis, cells, ink) if basis else []
    for i, (text, figure, cause) in enumerate(zip(texts, figures, causes, strict=True)):
        start = pad("why" if i == 0 else "", _NAME)
        drawn = pad(bar(cause.share, bars), bars) + "  " if bars >= 4 else ""  # noqa: PLR2004 (a few cells)
        line = f"{pad(text, named)}  {pad(figure, money, right=True)}   {drawn}"
        note = visible(cause.note)
        beside = width(line) + width(note) <= cells - _NAME - 2
        lines.append(f"  {ink.dim(start)}{line}{note if beside else ''}".rstrip())
        if note and not beside:
            lines += [f"{' ' * (_NAME + 4)}{part}" for part in wrap(note, cells - _NAME - 4)]
    return lines


def _brief(judged: Judgement, cells: int, ink: Ink) -> list[str]:
    """A warning in a line: what moved, and why it is none or is one."""
    moved = f"{judged.before} → {judged.now}" if judged.before and judged.now else judged.now or judged.before
    change = f" ({judged.change})" if judged.change and judged.before else ""
    said = f"{visible(judged.name)}  {visible(f'{moved}{change}')}: {visible(_reason(judged))}"
    mark = ink.level(_LEVELS[judged.outcome], _MARKS[judged.outcome])
    first, *rest = wrap(said, cells - 2)
    return [f"{mark} {first}", *(f"  {line}" for line in rest)]


def _reason(judged: Judgement) -> str:
    limit = f" (limit {judged.limit})" if judged.limit and judged.state in ("fail", "inconclusive") else ""
    message = f"; {judged.message}" if judged.message else ""
    return f"{judged.reason}{limit}{message}"


def _many(judged: Iterable[Judgement], outcome: Outcome, word: str, cells: int) -> list[str]:
    """How many, and the first of them in a few words."""
    some = list(judged)
    if not some:
        return []
    reasons = {j.reason for j in some}
    alike = len(some) > 1 and len(reasons) == 1 and not any(j.compared for j in some)
    told = [j.name if alike else _words(j) for j in some[:_MOST_NAMED]]
    told += ["…"] if len(some) > _MOST_NAMED else []
    why = f", {reasons.pop()}" if alike else ""
    text = f"{_MARKS[outcome]} {len(some)} {word}{visible(why)}   {visible(' · '.join(told))}"
    first, *rest = wrap(text, cells)
    return [first, *(f"  {line}" for line in wrap(" ".join(rest), cells - 2) if line)]


def _words(judged: Judgement) -> str:
    if not judged.compared:
        return f"{judged.name}: {judged.reason}"
    if judged.change == _STILL:
        return judged.name
    moved = f"{judged.before} → {judged.now}" if judged.before else judged.now
    excused = judged.reason if judged.state == "exempt" else ""
    limit = f"limit {judged.limit}" if judged.limit else ""
    inside = ", ".join(part for part in (judged.change, limit, excused) if part)
    return f"{judged.name} {moved}{f' ({inside})' if inside else ''}"
