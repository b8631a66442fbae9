"""Models written into a price file as text, so that what else stands there, comments too, stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import yaml

from llmtel.core.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}
_STEP = "  "


def with_entry(text: str, path: Sequence[str], value: object) -> str:
    """`text` with `value` at `path` (keys of mappings), in the place of what stands there.

    Raises `UsageError` where a mapping on the way is written in braces, which is not taken apart here.
    """
    lines = text.splitlines()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    node, depth, column, last = root, 0, 0, len(lines)
    while depth < len(path):
        if node is None:
            break
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            raise UsageError(f"{' > '.join(path[:depth])} is not written as lines; add this there:\n"
                             + "\n".join(_stanza(path[depth:], value, 0)))  # fmt: skip
        column, last = node.start_mark.column, _last(node) + 1
        pair = next(((k, v) for k, v in node.value if k.value == path[depth]), None)
        if pair is None:
            break
        depth, node = depth + 1, pair[1]
        if depth == len(path):
            first = pair[0].start_mark.line
            return _joined([*lines[:first], *_stanza(path[-1:], value, column), *lines[_last(node) + 1 :]])
        if isinstance(node, yaml.ScalarNode):
            if node.value:
                raise UsageError(f"{' > '.join(path[:depth])} is no mapping")
            # A key with nothing behind it: the first entry goes below it.
            column, last = column + len(_STEP), pair[0].end_mark.line + 1
            break
    return _joined([*lines[:last], *_stanza(path[depth:], value, column), *lines[last:]])


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _last(node: yaml.Node) -> int:
    """The last line of a node; the mark of a block's end stands at what comes after it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line)


def _stanza(path: Sequence[str], value: object, column: int) -> list[str]:
    """The keys of `path`, each deeper than the one before, and `value` below the last of them."""
    lines, indent = [], " " * column
    for key in path[:-1]:
        lines.append(f"{indent}{flow(key)}:")
        indent += _STEP
    head = f"{indent}{flow(path[-1])}:"
    if not isinstance(value, Mapping):
        return [*lines, f"{head} {flow(value)}"]
    lines.append(head)
    for key, inner in value.items():
        if isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            lines += [f"{indent}{_STEP}{flow(key)}:", *(f"{indent}{_STEP * 2}- {flow(row)}" for row in inner)]
        else:
            lines.append(f"{indent}{_STEP}{flow(key)}: {flow(inner)}")
    return lines


def flow(value: object) -> str:
    """A value as YAML on one line; numbers as they are, days plain, texts quoted where they need it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal | int):
        return f"{Decimal(value):f}"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text)
