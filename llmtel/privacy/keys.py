"""Where a secret key is: in an environment variable, in a file, or in what a command prints.

A key itself is never an argument and never stands in a configuration, both of which others can see; it is
never printed, and in no error.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import subprocess
from base64 import b64decode
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from llmtel.core.errors import UsageError
from llmtel.document import Place
from llmtel.privacy.folders import make_private

KEY_BYTES = 32
KEYS = ("key_env", "key_file", "key_command")
"""The keys of a configuration that say where a key is."""
_SHELL = frozenset("|&;<>$`")
"""What means something to a shell alone."""
_HEX = re.compile("[0-9A-Fa-f]{64}")
_BASE64 = re.compile("[A-Za-z0-9+/]{43}=")
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_INLINE = (
    "a key is never written here, where others can see it: name where it is, with key_env (an environment "
    "variable), key_file or key_command"
)


def key_of(text: str, where: str) -> bytes:
    """A key of 32 bytes, written as 64 hex digits or in base64. Raises `UsageError` without repeating it."""
    text = text.strip()
    try:
        key = bytes.fromhex(text) if _HEX.fullmatch(text) else b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(
            f"{where}: a key is 32 bytes, as 64 hex digits or in base64; a new one: openssl rand -hex 32"
        )
    return key


class KeySource(Struct, frozen=True):
    """Where a key is: `kind` is one of `KEYS`, `name` a variable, a path or a command, `said` who named it.

    `said` begins every error: "llmtel.yaml:3", or an option. A name that is a key itself is refused, and not
    repeated.
    """

    kind: str
    name: str
    said: str

    def __post_init__(self) -> None:
        """Raise `UsageError` for a key in place of a name."""
        if why := _no_name(self.kind, self.name):
            raise UsageError(f"{self.said}: {why}")

    def key(self) -> bytes:
        """The 32 bytes. Raises `UsageError`, never with any of them."""
        text = {"key_env": self._variable, "key_file": self._file, "key_command": self._printed}[self.kind]()
        return key_of(text, f"{self.said}: {self.called}")

    @property
    def called(self) -> str:
        """The place for people; of a command only its first word, since others may be secrets."""
        if self.kind == "key_env":
            return f"the environment variable {self.name}"
        return self.name if self.kind == "key_file" else f"the command {self.name.split()[0]}"

    def _variable(self) -> str:
        if self.name not in os.environ:
            raise UsageError(f"{self.said}: there is no environment variable {self.name}")
        return os.environ[self.name]

    def _file(self) -> str:
        path = Path(self.name)
        try:
            if path.stat().st_mode & 0o077:
                raise UsageError(f"{self.said}: {path}: others may read it; chmod 600 {path}")
            return path.read_text(errors="replace")
        except OSError as error:
            raise UsageError(f"{self.said}: {path}: {(error.strerror or str(error)).lower()}") from error

    def _printed(self) -> str:
        try:
            words = shlex.split(self.name)
            # no shell, and its errors and questions go to the terminal
            done = subprocess.run(words, stdout=subprocess.PIPE, check=False)  # noqa: S603 (the user's own)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "its quotes do not match"
            raise UsageError(f"{self.said}: {self.called} cannot be run: {why.lower()}") from None
        if done.returncode:
            hint = "; it is run without a shell: put pipes into a script" if _SHELL & {*self.name} else ""
            raise UsageError(f"{self.said}: {self.called} ended with exit code {done.returncode}{hint}")
        return done.stdout.decode(errors="replace")


def _no_name(kind: str, name: str) -> str | None:
    """Why a text cannot be where a key is."""
    if _HEX.fullmatch(name.strip()) or _BASE64.fullmatch(name.strip()):
        return _INLINE
    if kind == "key_env" and not _VARIABLE.fullmatch(name):
        return "the name of an environment variable has letters, digits and _"
    return None


def source_in(
    place: Place, folder: Path, others: Collection[str] = ()
) -> tuple[KeySource | None, dict[str, Place]]:
    """Where a mapping such as `{key_env: NAME}` says that a key is (None: it does not), and all its entries.

    `others` are the keys that it may have beside `KEYS`; paths are relative to `folder`. Raises `ConfigError`
    with file and line, and never with a value that may be a key.
    """
    if not isinstance(place.value, dict):
        place.fail("must be a mapping such as {key_env: LLMTEL_KEY}")
    if "key" in place.value and "key" not in others:
        Place(place.document, (*place.path, "key"), None).fail(_INLINE)
    keys = place.items((*others, *KEYS))
    named = [kind for kind in KEYS if kind in keys]
    if len(named) > 1:
        place.fail(f"{' and '.join(named)}: a key is in one place; give one of them")
    return (_source(named[0], keys[named[0]], folder) if named else None), keys


def _source(kind: str, place: Place, folder: Path) -> KeySource:
    name = place.value
    if not isinstance(name, str) or not name.strip():
        place.fail("must be text")
    if why := _no_name(kind, name):
        place.fail(why)
    return KeySource(
        kind, str(folder / Path(name).expanduser()) if kind == "key_file" else name, place.where()
    )


def make_file(path: Path) -> bool:
    """Put a new random key where there is no file yet, for its owner alone; whether there was none.

    Raises `UsageError`.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        make_private(path.parent)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_bytes(KEY_BYTES).hex() + "\n")
        try:
            path.hardlink_to(beside)  # whole or not at all, and never over another
        finally:
            beside.unlink()
    except FileExistsError:
        return False
    except OSError as error:
        raise UsageError(
            f"{path}: cannot write a new key: {(error.strerror or str(error)).lower()}"
        ) from error
    return True
