"""YAML read exactly: decimals as written, no guessed types, no repeated keys, and the line of every mistake.

PyYAML speaks YAML 1.1, where `010` is 8, `16:30` is 990, `0.1` is binary and a repeated key silently wins. A
price must be the number that stands there, so the nodes are turned into values here and whatever would
surprise is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import NoReturn

import yaml

from llmtel.core.errors import ConfigError

Path = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Document:
    """A YAML mapping: its name for people, its bytes, its values, and its nodes, which know their lines."""

    def __init__(self, name: str, content: bytes) -> None:
        """Read `content`. Raises `ConfigError`, with file and line, for whatever is no plain YAML mapping."""
        self.name = name
        self.content = content
        self._root = self._compose(content)
        self._seen: set[int] = set()
        self.data: object = {} if self._root is None else self._value(self._root)
        if not isinstance(self.data, dict):
            self._fail(self._root, "the file must be a mapping, `key: value` line by line")

    @classmethod
    def of(cls, name: str, content: bytes, data: Mapping[str, object]) -> Document:
        """A document that was not written as YAML: its values, and no lines."""
        document = cls(name, b"")
        document.content = content
        document.data = data
        return document

    @property
    def top(self) -> Place:
        """The whole document."""
        return Place(self, (), self.data)

    def line(self, path: Path) -> int | None:
        """Line (from 1) of the value at `path`, or of the nearest thing around it that exists."""
        node = self._root
        for step in path:
            inner = _child(node, step)
            if inner is None:
                break
            node = inner
        return None if node is None else node.start_mark.line + 1

    def _compose(self, content: bytes) -> yaml.Node | None:
        try:
            node: yaml.Node | None = yaml.compose(content.decode("utf-8-sig"), Loader=_LOADER)
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self.name}: not UTF-8 text (byte {error.start})") from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f":{mark.line + 1}" if mark else ""
            raise ConfigError(f"{self.name}{where}: no valid YAML: {error.problem}") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.name}: no valid YAML: {error}") from error
        return node

    def _fail(self, node: yaml.Node | None, message: str) -> NoReturn:
        where = "" if node is None else f":{node.start_mark.line + 1}"
        raise ConfigError(f"{self.name}{where}: {message}")

    def _value(self, node: yaml.Node) -> object:
        if id(node) in self._seen:
            self._fail(node, "anchors and aliases (& and *) are not read: every entry must be readable alone")
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item) for item in node.value]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in node.value:
            if key.tag != _TAG + "str":
                hint = (
                    "`<<` is not read" if key.tag == _TAG + "merge" else f"{key.value!r} is no text: quote it"
                )
                self._fail(key, f"a key must be text; {hint}")
            if key.value in found:
                self._fail(key, f"{key.value!r} stands here twice")
            found[key.value] = self._value(value)
        return found

    def _scalar(self, node: yaml.Node) -> object:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return text
        if kind == "int" and _WHOLE.fullmatch(text):
            return Decimal(text)
        if kind == "float" and _DECIMAL.fullmatch(text):
            return Decimal(text)
        if kind == "timestamp":
            return self._day(node)
        if kind in {"bool", "null"}:
            return None if kind == "null" else text.lower() in {"yes", "true", "on"}
        return self._fail(
            node, f"{text!r} would be read as {kind}: write a plain decimal number, or quote it"
        )

    def _day(self, node: yaml.Node) -> object:
        if not _DAY.fullmatch(node.value):
            return node.value
        try:
            return date.fromisoformat(node.value)
        except ValueError:
            self._fail(node, f"there is no day {node.value}")


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        inner: yaml.Node = node.value[step]
        return inner
    return None


class Place:
    """A value and where it stands; each reader refuses what it cannot use, with file and line."""

    __slots__ = ("document", "path", "value")

    def __init__(self, document: Document, path: Path, value: object) -> None:
        self.document = document
        self.path = path
        self.value = value

    def where(self) -> str:
        """File and line: "pricing.yaml:812"; the file alone, where there are no lines."""
        line = self.document.line(self.path)
        return self.document.name if line is None else f"{self.document.name}:{line}"

    def says(self, message: str) -> str:
        """`message` with the file, the line and the way to the value before it."""
        way = " > ".join(str(step + 1) if isinstance(step, int) else step for step in self.path)
        return f"{self.where()}: {way}: {message}" if way else f"{self.where()}: {message}"

    def fail(self, message: str) -> NoReturn:
        """Raise `ConfigError`: file, line, the way to the value, and `message`."""
        raise ConfigError(self.says(message))

    def items(self, known: Collection[str] | None = None) -> dict[str, Place]:
        """The entries of a mapping; a key that is not in `known` (if given) is refused."""
        if not isinstance(self.value, dict):
            self.fail(f"must be a mapping, not {self.value!r}")
        found = {key: Place(self.document, (*self.path, key), value) for key, value in self.value.items()}
        if known is not None:
            for key in found.keys() - set(known):
                near = get_close_matches(key, known, n=1)
                found[key].fail(
                    f"unknown key; did you mean {near[0]}?"
                    if near
                    else f"unknown key; known: {', '.join(known)}"
                )
        return found

    def entries(self) -> Iterator[Place]:
        """The items of a list."""
        if not isinstance(self.value, list):
            self.fail(f"must be a list, not {self.value!r}")
        return (Place(self.document, (*self.path, i), value) for i, value in enumerate(self.value))

    def one_or_more(self) -> Iterator[Place]:
        """The items of a list, or the one value that stands for a list of one."""
        return self.entries() if isinstance(self.value, list) else iter((self,))

    def text(self) -> str:
        """A non-empty text."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.fail(f"must be text, not {_shown(self.value)}: quote it if it is")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(item.text() for item in self.entries())

    def choice(self, known: Collection[str]) -> str:
        """One of some words."""
        if not isinstance(self.value, str) or self.value not in known:
            self.fail(f"must be one of {', '.join(known)}, not {_shown(self.value)}")
        return self.value

    def number(self) -> Decimal:
        """A number, exactly as written; a text that looks like one is refused."""
        if not isinstance(self.value, Decimal):
            self.fail(f"must be a plain decimal number, not {_shown(self.value)}")
        return self.value

    def whole(self) -> int:
        """A whole number above 0."""
        value = self.number()
        if value != value.to_integral_value() or value <= 0:
            self.fail(f"must be a whole number above 0, not {value}")
        return int(value)

    def day(self) -> date:
        """A day, YYYY-MM-DD."""
        if not isinstance(self.value, date):
            self.fail(f"must be a day like 2026-03-05, not {_shown(self.value)}")
        return self.value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.fail(f"must be true or false, not {_shown(self.value)}")
        return self.value

    def unique(self, seen: set[str], where: str) -> str:
        """A text that is not yet in `seen` (letter case aside), to which it is added."""
        text = self.text()
        if text.lower() in seen:
            self.fail(f"{text!r} stands twice {where}")
        seen.add(text.lower())
        return text


def _shown(value: object) -> str:
    return str(value) if isinstance(value, Decimal | date) else repr(value)
