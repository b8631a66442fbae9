"""The command line of this run, which a finding extends to the command that shows more."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

Condition = tuple[str, str]


class Command(Struct, frozen=True):
    """What was asked: paths, conditions and options, as they were typed.

    `options` are options with their value (`--tz`, `UTC`); a finding that sets one of them replaces it.
    """

    paths: tuple[str, ...]
    where: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    repeated: tuple[Condition, ...] = ()

    def paste(
        self,
        verb: str = "analyze",
        *,
        where: Sequence[str] = (),
        flags: Sequence[str] = (),
        **options: str | None,
    ) -> str:
        """A command that works when pasted into a shell: this run's paths and conditions, and more."""
        more = {f"--{k.replace('_', '-')}": v for k, v in options.items() if v is not None}
        pairs = (
            *(("--where", condition) for condition in (*self.where, *where) if condition.strip()),
            *self.repeated,
            *{**self.options, **more}.items(),
        )
        asked = [*(word for pair in pairs for word in pair), *flags]
        return self._with(verb, self.paths, asked)

    def between(self, before: Sequence[str], *, by: str, where: Sequence[str] = ()) -> str:
        """The command that compares other paths with those of this run."""
        pairs = [*(("--where", term) for term in where), *self.repeated, ("--by", by)]
        asked = [word for pair in pairs for word in pair]
        return self._with("compare", (*before, *self.paths), asked)

    @staticmethod
    def _with(verb: str, paths: Sequence[str], asked: Sequence[str]) -> str:
        # After -- a path that begins with a dash is no option; a dash alone is standard input.
        dashed = any(path.startswith("-") and path != "-" for path in paths)
        words = [*asked, "--", *paths] if dashed else [*paths, *asked]
        return " ".join(map(shlex.quote, ("llmtel", *verb.split(), *words)))
