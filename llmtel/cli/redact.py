"""`llmtel redact`: a copy of logs that may be shared."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmtel.cli import options as o
from llmtel.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from llmtel.privacy.pseudonyms import Pseudonyms

KEEP = "What stays"


class Texts(StrEnum):
    """What becomes of texts."""

    DROP = "drop"
    REDACT = "redact"
    KEEP = "keep"


Folder = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="The folder for the copies; nothing in it is written over",
        rich_help_panel=o.SAY,
    ),
]
Paths = Annotated[
    list[str], typer.Argument(help="Files, folders (read recursively) or globs", metavar="PATHS...")
]
Text = Annotated[
    Texts,
    typer.Option(
        "--text",
        metavar="HOW",
        help="Texts of prompts and answers: drop, redact (what the rules find) or keep",
        rich_help_panel=KEEP,
    ),
]
KeyEnv = Annotated[
    str | None,
    typer.Option(
        "--key-env",
        metavar="NAME",
        help="Environment variable with the key of the pseudonyms  [default: a new key, then forgotten]",
        rich_help_panel=KEEP,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="File with the key, which nobody else may read: openssl rand -hex 32",
        rich_help_panel=KEEP,
    ),
]


def redact(
    paths: Paths,
    output: Folder,
    text: Text = Texts.DROP,
    key_env: KeyEnv = None,
    key_file: KeyFile = None,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    config: o.Config = None,
    share: o.Share = False,
    format_: o.Format = o.OutputFormat.TABLE,
) -> int:
    """Write a copy of logs that may be shared, which every command reads like them.

    Texts go, ids of people, sessions and requests become pseudonyms, and what looks like an e-mail address, a
    card or a key is replaced in whatever stays; the numbers are the same. Names and addresses of people are
    beyond patterns, so with --text redact they stay. What is looked for: llmtel list redactions.
    """
    from llmtel.cli.narration import Progress
    from llmtel.cli.output import write
    from llmtel.cli.settings import settle
    from llmtel.privacy.rules import REDACTIONS
    from llmtel.reports.redaction import Shared, redaction
    from llmtel.sharing import Asked
    from llmtel.sharing import share as copied

    settings = settle(config, map_)
    if (store := settings.store_of(paths)) is not None:
        raise UsageError(
            f"{store}: it is a store, which has no texts; redact copies logs. An answer that may be shared: "
            f"llmtel analyze {store} --share"
        )
    pseudonyms = _pseudonyms(key_env, key_file)
    own = settings.config.privacy.redact if settings.config else ()
    rules = (*own, *REDACTIONS.values())
    asked = Asked(pseudonyms, rules, text.value, input_format, tuple(settings.rules))
    with Progress() as progress:
        copies = copied(paths, output, asked, progress)
    files = [Shared(c.file, c.target, c.format, c.why, c.tally.counts) for c in copies]
    if share:
        files = [one.nameless(number) for number, one in enumerate(files, 1)]
    notes = _notes(text, random=key_env is None and key_file is None, key_id=pseudonyms.key_id)
    write(redaction(files, {rule.name: rule.help for rule in rules}, notes), format_, None)
    return Exit.OK


def _notes(text: Texts, *, random: bool, key_id: str) -> list[str]:
    """What should be known about the copies."""
    notes = []
    if text is not Texts.DROP:
        notes.append("texts are in the copies: patterns do not find names of people, companies and places")
    if random:
        notes.append(
            f"pseudonyms of a new key ({key_id}), forgotten now: another run gives others; "
            "--key-env or --key-file give the same"
        )
    else:
        notes.append(f"pseudonyms of the key {key_id}")
    return notes


def _pseudonyms(env: str | None, file: Path | None) -> Pseudonyms:
    """Pseudonyms of the key that is asked for, or of a new one. Raises `UsageError`, never with the key."""
    from llmtel.privacy.keys import KeySource
    from llmtel.privacy.pseudonyms import Pseudonyms

    if env is not None and file is not None:
        raise UsageError("--key-env and --key-file: give one of them")
    if env is not None:
        return Pseudonyms(KeySource("key_env", env, "--key-env").key())
    if file is not None:
        return Pseudonyms(KeySource("key_file", str(file), "--key-file").key())
    return Pseudonyms.random()
