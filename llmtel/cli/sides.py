"""The two sides of a comparison, made of what options, rules and `llmtel.yaml` say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llmtel.checks.earlier import Window
    from llmtel.checks.rules import RuleSet
    from llmtel.checks.side import Side
    from llmtel.cli.answering import Question
    from llmtel.cli.settings import Settings
    from llmtel.reports.context import Context

DEFAULT_PATH = Path(".llmtel/baseline.json")
SCHEMA = '"schema": "llmtel.baseline/'


class Wanted(Struct, frozen=True):
    """The rules of a run; `unwritten`: nobody wrote any, so that the good defaults hold."""

    rules: RuleSet
    unwritten: bool = False

    def dimensions(self) -> tuple[str, ...]:
        """What the rules split by and filter on, as far as the reader must keep extra keys for it."""
        from llmtel.query import where
        from llmtel.query.dimensions import TAGS

        by = [name for rule in self.rules for name in rule.split.by]
        filtered = [f"{TAGS}{key}" for rule in self.rules for key in where.tags(rule.split.where)]
        return tuple(dict.fromkeys((*by, *filtered)))

    def about(self, calls: pl.DataFrame) -> Wanted:
        """These rules, or where they are the defaults those that suit a provider's sums."""
        from llmtel.checks.defaults import default_rules

        if not self.unwritten or not len(calls) or not (calls["grain"] == "bucket").all():
            return self
        defaults = default_rules(buckets=True)
        return replace(self, rules=replace(self.rules, rules=defaults.rules))


def rules_of(settings: Settings, file: Path | None, lines: Sequence[str], only: Sequence[str]) -> Wanted:
    """The rules of a run, or the good defaults where nobody wrote any.

    Raises `ConfigError` with every mistake of a file, `UsageError` for a line or an id that is none.
    """
    from llmtel.checks import oneline, rulefile
    from llmtel.checks.defaults import default_rules
    from llmtel.config import SECTIONS
    from llmtel.core.catalog import unknown
    from llmtel.document import Document

    document = None if settings.config is None else settings.config.document
    if file is not None:
        document = Document(str(file), _bytes(file))
    found = None if document is None else rulefile.read(document, SECTIONS)
    unwritten = (found is None or not found.rules) and not lines
    if unwritten:
        found = default_rules() if found is None else found.plus(default_rules().rules)
    base = default_rules().only(()) if found is None else found
    rules = base.plus([oneline.rule(line) for line in lines])
    ids = [rule.id for rule in rules]
    for name in only:
        if name not in ids:
            raise UsageError(f"--only {name}: {unknown('check', name, ids)}")
    return Wanted(rules.only(only) if only else rules, unwritten)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"--rules {path}: {error.strerror}") from None


class Other(Struct, frozen=True):
    """What the logs are compared with: a baseline file, an earlier window of the same logs, or other logs.

    `given` says that an option asked for it; else the rules say it.
    """

    baseline: Path | None = None
    window: str | None = None
    logs: tuple[str, ...] = ()
    given: bool = True

    @classmethod
    def of(
        cls, baseline: Path | None, window: str | None, logs: Sequence[str] | None, rules: RuleSet
    ) -> Other:
        """What the options say, or else the rules. Raises `UsageError` for two at once."""
        options = {"--baseline": baseline, "--compare": window, "--compare-to": logs}
        said = [name for name, value in options.items() if value]
        if len(said) > 1:
            raise UsageError(f"{' and '.join(said)}: the logs are compared with one thing; leave one out")
        if said:
            return cls(baseline, window, tuple(logs or ()))
        source = rules.baseline
        if source.source == "window":
            return cls(window=source.compare, given=False)
        return cls(Path(source.path) if source.source == "file" else None, given=False)


class Pair(Struct, frozen=True):
    """Both sides, with the calls they were made of (None: a file, or nothing), and what was read.

    `missing` says where a baseline was looked for in vain.
    """

    current: Side
    base: Side | None
    calls: pl.DataFrame
    context: Context
    rules: Wanted
    before: pl.DataFrame | None = None
    missing: str | None = None

    @property
    def held(self) -> bool:
        """Whether the other side is a baseline file."""
        return self.base is not None and self.base.saved is not None


def pair(question: Question, wanted: Wanted, other: Other, name: str) -> Pair:
    """Read, price and measure both sides."""
    from llmtel.checks.earlier import wanted as window
    from llmtel.checks.measure import keys_of, measured
    from llmtel.checks.reprice import repriced
    from llmtel.cli.alike import both
    from llmtel.reports.rolled import of_both

    asked = window(other.window) if other.window else None
    question = replace(question, filters=_filters(wanted.rules))
    before, base, missing = None, None, None
    if other.logs and not asked:
        (calls, context), (before, further) = both(question, other.logs, name)
        context = of_both(context, further)
    else:
        calls, context = question.priced(name)
    wanted = wanted.about(calls)
    rules = wanted.rules
    label, other_label = " ".join(question.paths), ""
    days: tuple[float | None, float | None] = None, None
    if asked:
        context = as_far_as(context, calls, asked)
        earlier, now = asked.parts(calls)
        before, calls = earlier.calls, now.calls
        label, other_label, days = now.label, earlier.label, (earlier.days, now.days)
    elif other.logs:
        other_label = " ".join(other.logs)
    elif other.baseline is not None:
        base, missing = _load(other.baseline, stored(question.where))
        if base is not None and rules.baseline.reprice == "current":
            book = {"as_of": context.prices.as_of, "sha256": context.prices.sha256}
            base = repriced(base, context.rates, book)
    sample = partial(measured, rules=rules.rules, cluster_by=rules.cluster_by, tz=question.tz)
    if before is not None:
        base = replace(sample(before, label=other_label), covered=days[0])
    keep = None if base is None else keys_of(base, rules.rules)
    current = replace(sample(calls, keep=keep, label=label), covered=days[1])
    return Pair(current, base, calls, context, wanted, before, missing)


def _filters(rules: RuleSet) -> tuple[str, ...]:
    """What rules ask of calls and whom exemptions name, as `--where` says it; a pattern names nobody."""
    from llmtel.checks.oneline import term
    from llmtel.core.schema import FIELDS

    people = {name for name, field in FIELDS.items() if field.privacy == "personal"}
    excused = (
        term(name, "=", value)
        for one in rules.exemptions
        for name, value in one.match.items()
        if name in people and not set("*?[") & set(value)
    )
    return (*(asked for rule in rules.rules for asked in rule.split.where), *excused)


def _load(path: Path, where: tuple[str, ...]) -> tuple[Side | None, str | None]:
    """The side of a file, or where there is none: a first run has no baseline, and is fine.

    Raises `UsageError` where its calls met other filters: the two would not be alike.
    """
    from llmtel.checks import baseline

    if not path.exists():
        return None, f"there is no {path}"
    found = baseline.load(path)
    if found.where != where:
        given, kept = (f"--where {' '.join(one)}" if one else "no --where" for one in (where, found.where))
        raise UsageError(
            f"{path} was saved with {kept}, and this run has {given}: compare like with like, or put the "
            "filter into the rules (where:)"
        )
    return found, None


def stored(where: Sequence[str]) -> tuple[str, ...]:
    """Filters as a baseline names them: what points at people is hashed."""
    from llmtel.checks.private import stored_split
    from llmtel.checks.rules import Split

    return stored_split(Split(tuple(where))).where


def as_far_as(context: Context, calls: pl.DataFrame, window: Window) -> Context:
    """A context that speaks of rollups only where the parts of a window reach into them."""
    from llmtel.reports.rolled import unless_before

    last = calls["ts"].max()
    return unless_before(context, last - window.reach) if isinstance(last, datetime) else context


def is_baseline(path: str) -> bool:
    """Whether a file is a baseline, by how it begins."""
    try:
        with Path(path).open("rb") as file:
            return SCHEMA.encode() in file.read(200)
    except OSError:
        return False


def commit() -> str | None:
    """The commit of the working tree: as CI says it, else as git has it."""
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        if found := os.environ.get(name):
            return found
    folders = (at / ".git" for at in (Path.cwd(), *Path.cwd().parents))
    git = next((one for one in folders if os.path.isdir(one)), None)  # noqa: PTH112 (one may not look: none)
    return None if git is None else _head(git)


def _head(git: Path) -> str | None:
    """What HEAD is, by the files of git: no program is run."""
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        ref = head.removeprefix("ref: ")
        if (git / ref).is_file():
            return (git / ref).read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
    except OSError:
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {ref}")), None)
