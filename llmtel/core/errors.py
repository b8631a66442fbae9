"""What can go wrong for a user, and the exit code that says so.

Errors are raised low, with a sentence that says what, where and what would work, and shown in one place
(`llmtel.cli.app`). A programmer's error is no `LlmtelError` and keeps its traceback.
"""

from __future__ import annotations

from enum import IntEnum

from llmtel.core.account import Account, Note, Reject


class Exit(IntEnum):
    """Exit codes, the same for every command. When several apply: usage, unreadable, violated, strict."""

    OK = 0
    CRASH = 1
    USAGE = 2
    VIOLATED = 3
    STRICT = 4
    UNREADABLE = 5


class LlmtelError(Exception):
    """What the user did or has cannot work; the message says what would."""

    exit_code: Exit = Exit.USAGE


class UsageError(LlmtelError):
    """An option, a name or a path that cannot work."""


class UnknownName(UsageError):
    """A metric, dimension, field or format that does not exist."""


class ConfigError(LlmtelError):
    """A configuration or price file that cannot be used; the message names file and line."""


class UnreadableInput(LlmtelError):
    """There was input, and nothing of it could be read; `account` says what became of it."""

    exit_code = Exit.UNREADABLE

    def __init__(
        self,
        message: str,
        account: Account | None = None,
        rejects: tuple[Reject, ...] = (),
        notes: tuple[Note, ...] = (),
    ) -> None:
        super().__init__(message)
        self.account = account or Account()
        self.rejects = rejects
        self.notes = notes
