"""`llmtel store rekey`: another key, the first one, or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmtel.cli import options as o
from llmtel.cli.stores import Alone, Dir, earlier, place, tell
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    from llmtel.cli.settings import Settings
    from llmtel.privacy.keys import KeySource

KeyEnv = Annotated[
    str | None, typer.Option("--key-env", metavar="NAME", help="The new key is in this environment variable")
]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", metavar="FILE", help="The new key is in this file, of mode 0600")
]
KeyCommand = Annotated[
    str | None, typer.Option("--key-command", metavar="COMMAND", help="The new key is what this prints")
]
Plain = Annotated[bool, typer.Option("--plain", help="No key: the store is not encrypted any more")]


def rekey(
    folder: Dir = None,
    key_env: KeyEnv = None,
    key_file: KeyFile = None,
    key_command: KeyCommand = None,
    plain: Plain = False,
    alone: Alone = False,
    config: o.Config = None,
) -> None:
    """Write a store anew with another key, with its first one, or with none; earlier versions go.

    An option says where the new key is; without any it is that of the configuration (store: encryption:). The
    old key is that of the configuration. Backups and deleted blocks of a disk are out of reach.
    """
    from llmtel.cli.settings import settle
    from llmtel.store.rekey import rekey as work

    given = {
        "key_env": key_env,
        "key_file": None if key_file is None else str(key_file),
        "key_command": key_command,
    }
    to = _target({kind: name for kind, name in given.items() if name}, settle(config), plain=plain)
    done = work(at := place(folder, config, alone=alone), to)
    gone = "earlier versions are deleted" if at.alone else f"all of it {earlier(at)}"
    before = " and ".join(one for one in done.before if one) or "no key"
    text = f"{done.files:,} data files written with {done.after or 'no key'} (before: {before}); {gone}"
    if to is not None and any(given.values()):
        text += "; now name the new key in llmtel.yaml, under store: encryption:"
    tell(at, "rekey", text, files=done.files, key=done.after)


def _target(given: dict[str, str], settings: Settings, *, plain: bool) -> KeySource | None:
    """Where the new key is; None for a plain store."""
    from llmtel.privacy.keys import KeySource

    if len(given) + plain > 1:
        raise UsageError("--key-env, --key-file, --key-command and --plain: one of them")
    if plain:
        return None
    for kind, name in given.items():
        return KeySource(kind, name, f"--{kind.replace('_', '-')}")
    return settings.ring.sources[0]
