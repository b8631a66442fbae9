"""Lines of JSON with what must not leave replaced: cut into strings and what stands between, and joined.

Only values that change are written anew: numbers, order, blanks and the other values stay byte for byte.
"""

from __future__ import annotations

import re

import msgspec
import orjson
import polars as pl
from msgspec import Struct

from llmtel.privacy.names import TEXTS, Kind, plain
from llmtel.privacy.redact import put
from llmtel.privacy.values import NESTED, Policy, Tally, decoded, encoded, replaced, settled

UNREADABLE = "(a line that could not be read)"
"""What stands in place of a line that is no JSON object: it may hold anything. It is no JSON either."""
_PIECE = r'"[^"\\]*(?:\\.[^"\\]*)*"(?:[ \t]*:[ \t]*)?|[^"]+'
"""A string, with the colon behind it where it is a key; or what is between strings."""
_COLON = r"^([ \t]*:[ \t]*)"
_BACKSLASH, _QUOTE = "\ue002", "\ue003"
"""Private-use characters in place of an escaped backslash and an escaped quote, until lines are cut."""
_BLANK = re.compile(r"^[ \t\r]*$", re.MULTILINE)
_NUMBER = r"^(\s*)(-?[0-9][0-9.eE+-]*)"
_ATTRIBUTE_VALUES = ("value", "string_value", "int_value", "double_value", "bool_value")
"""Keys of an attribute's value in OTLP/JSON, whose name stands beside it."""
_IN_TEXT = b'{"text":'
_FLAT = (Kind.TEXT, Kind.PERSONAL, Kind.USER)
"""Kinds whose values are taken whole, whatever is in them."""
_NO_JSON = {Kind.OTHER: Kind.TEXT, Kind.INSIDE: Kind.TEXT, Kind.STRUCTURE: Kind.PERSONAL}
"""What kinds are whose value begins like JSON and is none."""
_DONE = 255
"""In place of a kind: replaced already."""
_DEEPEST = 4
"""How deep JSON is looked for in texts of JSON; what lies deeper is a text."""


class _Object(msgspec.Struct):
    """Any JSON object, of which nothing is kept."""


_OBJECTS = msgspec.json.Decoder(_Object)


def redact_lines(data: bytes, policy: Policy, tally: Tally, depth: int = 0) -> bytes:
    """Lines of JSON objects as they may be shared. A line that is none becomes `UNREADABLE`."""
    tokens = _tokens(_readable(data.removeprefix(b"\xef\xbb\xbf"), tally))
    new = _replaced(_pieces(tokens, policy), policy, tally, depth)
    return str(new.str.join("").item() or "").encode()


def _readable(data: bytes, tally: Tally) -> str:
    """The lines, those that are no JSON objects marked."""
    try:
        text = data.decode()
        objects, lines = len(_OBJECTS.decode_lines(data)), text.count("\n") + 1
        if objects == lines - text.endswith("\n") or objects == lines - len(_BLANK.findall(text)):
            return text
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        pass
    bad = 0
    out = []
    for line in data.split(b"\n"):
        fine = not line.strip() or _is_object(line)
        bad += not fine
        out.append(line.decode() if fine else UNREADABLE)
    tally.add("line", bad)
    return "\n".join(out)


def _is_object(line: bytes) -> bool:
    try:
        line.decode()
        _OBJECTS.decode(line)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return False
    return True


def _tokens(text: str) -> pl.Series:
    """Lines of JSON objects as pieces in their order: a string, with the colon of a key, and what follows it.

    Between two quotes that no backslash stands before is a string, every other time; a pattern that says so
    takes three times as long.
    """
    escaped = "\\" in text
    if escaped:
        if _BACKSLASH in text or _QUOTE in text:
            return pl.Series([text]).str.extract_all(_PIECE).explode()
        text = text.replace(r"\\", _BACKSLASH).replace(r"\"", _QUOTE)
    parts = pl.Series(text.split('"'), dtype=pl.String)
    if escaped:
        rows = parts.str.contains(f"[{_BACKSLASH}{_QUOTE}]").arg_true()
        whole = parts.gather(rows).str.replace_all(_BACKSLASH, r"\\", literal=True)
        parts = put(parts, rows, whole.str.replace_all(_QUOTE, r"\"", literal=True))
    frame = pl.select(said=parts.gather_every(2, 1), after=parts.gather_every(2).slice(1))
    colon = pl.col("after").str.extract(_COLON, 1).fill_null("")
    strings = frame.select(pl.concat_str(pl.lit('"'), "said", pl.lit('"'), colon)).to_series()
    between = frame.select(pl.col("after").str.replace(_COLON, "")).to_series()
    number = pl.int_range(2 * strings.len(), dtype=pl.UInt32)
    in_turn = pl.select(number // 2 + number % 2 * strings.len()).to_series()
    return pl.concat([parts.head(1), pl.concat([strings, between]).gather(in_turn)])


class _Pieces(Struct, frozen=True):
    """The pieces of lines in order, and what each is.

    `keys` and `strings` are the rows of these; `names` the names in the lines, as JSON strings, and `name`
    for each row the number of the one it stands under; `kinds` are those of the rows.
    """

    tokens: pl.Series
    keys: pl.Series
    strings: pl.Series
    names: list[str]
    name: pl.Series
    kinds: pl.Series


def _pieces(tokens: pl.Series, policy: Policy) -> _Pieces:
    quoted, ended = tokens.str.starts_with('"'), tokens.str.ends_with('"')
    keys, strings = (quoted & ~ended).arg_true(), (quoted & ended).arg_true()
    found = tokens.gather(keys)
    names = ['""', *found.unique()]
    codes = found.cast(pl.Enum(names)).to_physical().cast(pl.UInt32)
    name = _filled(tokens.len(), keys, codes, 0)
    names, name = _with_attributes(tokens, strings, names, name)
    kinds = pl.Series([policy.names.kind(_name(one)) for one in names], dtype=pl.UInt8)
    found_kinds = _with_scopes(tokens, names, name, kinds.gather(name))
    return _Pieces(tokens, keys, strings, names, name, found_kinds)


def _filled(length: int, rows: pl.Series, values: pl.Series, first: int) -> pl.Series:
    """A series that has, from each of some rows on, the value of that row; `first` before the first."""
    empty = pl.Series([None], dtype=values.dtype).new_from_index(0, length)
    return put(empty, rows, values).fill_null(strategy="forward").fill_null(first)


def _name(token: str) -> str:
    return str(orjson.loads(token[: token.rindex('"') + 1]))


def _with_attributes(
    tokens: pl.Series, strings: pl.Series, names: list[str], name: pl.Series
) -> tuple[list[str], pl.Series]:
    """The names, with that of an attribute of OTLP for its value."""
    values = [i for i, one in enumerate(names) if plain(_name(one)) in _ATTRIBUTE_VALUES]
    keys = [i for i, one in enumerate(names) if _name(one) == "key"]
    if not values or not keys:
        return names, name
    rows = strings.filter(name.gather(strings).is_in(keys))
    called = tokens.gather(rows)
    more = called.unique().to_list()
    codes = called.cast(pl.Enum(more)).to_physical().cast(pl.UInt32) + len(names)
    attribute = _filled(tokens.len(), rows, codes, 0)
    frame = pl.select(name=name, attribute=attribute)
    changed = frame.select(
        pl.when(pl.col("name").is_in(values) & (pl.col("attribute") > 0)).then("attribute").otherwise("name")
    )
    return [*names, *more], changed.to_series()


def _with_scopes(tokens: pl.Series, names: list[str], name: pl.Series, kinds: pl.Series) -> pl.Series:
    """The kinds, what stands in an object or a list of a text being INSIDE if its name says nothing."""
    texts = [i for i, one in enumerate(names) if plain(_name(one)) in TEXTS]
    rows = tokens.str.contains(r"^[^\"]*[\[\]{}]").arg_true() if texts else pl.Series([], dtype=pl.UInt32)
    if not rows.len():
        return kinds
    between = tokens.gather(rows)
    opened = between.str.count_matches(r"[\[{]").cast(pl.Int32)
    step = opened - between.str.count_matches(r"[\]}]").cast(pl.Int32)
    depth = step.cum_sum()
    before = depth - step
    opens = (step > 0) & name.gather(rows).is_in(texts) & between.str.contains(r"^\s*[\[{]")
    frame = pl.select(depth=depth, before=before, opens=opens)
    inside = pl.lit(value=False)
    for level in before.filter(opens).unique():
        begins = pl.col("opens") & (pl.col("before") == level)
        state = pl.when(begins).then(True).when(pl.col("depth") <= level).then(False)
        inside |= state.forward_fill().fill_null(value=False)
    within = _filled(tokens.len(), rows, frame.select(inside.cast(pl.UInt8)).to_series(), 0)
    changed = pl.when((within == 1) & (kinds == Kind.OTHER)).then(pl.lit(Kind.INSIDE, pl.UInt8))
    return pl.select(changed.otherwise(kinds)).to_series()


def _replaced(pieces: _Pieces, policy: Policy, tally: Tally, depth: int) -> pl.Series:
    """The tokens, those replaced that must be."""
    rows = pieces.strings
    strings = pieces.tokens.gather(rows)
    kinds = settled(pieces.kinds.gather(rows), strings.str.strip_prefix('"').str.strip_suffix('"'))
    names = pl.Series(pieces.names, dtype=pl.String).gather(pieces.name.gather(rows))
    tokens = _with_safe_keys(pieces, policy, tally)
    tokens = put(tokens, rows, _strings(strings, kinds, names, policy, tally, depth))
    return _with_numbers(tokens, pieces, policy, tally)


def _strings(
    tokens: pl.Series, kinds: pl.Series, names: pl.Series, policy: Policy, tally: Tally, depth: int
) -> pl.Series:
    """JSON strings of settled kinds, replaced; only what changes is written anew."""
    rows = (kinds != Kind.TEXT).arg_true()
    if policy.text == "redact":
        rows = pl.Series(range(kinds.len()), dtype=pl.UInt32)
    elif policy.text == "drop":
        text = (kinds == Kind.TEXT).arg_true()
        tally.add("text", int((tokens.gather(text) != '""').sum()))
        tokens = put(tokens, text, pl.Series(['""']).new_from_index(0, text.len()))
    old = decoded(tokens.gather(rows))
    new = redact_strings(kinds.gather(rows), names.gather(rows), old, policy, tally, depth)
    changed = (new != old).arg_true()
    return put(tokens, rows.gather(changed), encoded(new.gather(changed)))


def redact_strings(
    kinds: pl.Series, names: pl.Series, values: pl.Series, policy: Policy, tally: Tally, depth: int = 0
) -> pl.Series:
    """Strings of settled kinds and their names (as JSON), replaced; in JSON what is inside."""
    rows = (values.str.contains(NESTED) & ~kinds.is_in(_FLAT)).arg_true()
    if rows.len():
        inner = [_on_one_line(text) if depth < _DEEPEST else None for text in values.gather(rows)]
        around = [
            _around(kind, name, policy)
            for kind, name in zip(kinds.gather(rows), names.gather(rows), strict=True)
        ]
        after = [
            _DONE if text is not None else _NO_JSON.get(kind, kind) if depth < _DEEPEST else Kind.TEXT
            for kind, text in zip(kinds.gather(rows), inner, strict=True)
        ]
        kinds = put(kinds, rows, pl.Series(after, dtype=pl.UInt8))
        new = _nested(around, inner, policy, tally, depth + 1)
        values = put(values, rows, pl.select(pl.coalesce(new, values.gather(rows))).to_series())
    return replaced(kinds, values, policy, tally)


def _around(kind: int, name: str | None, policy: Policy) -> tuple[bytes, bytes]:
    """What JSON is put into, so that it is redacted as what it is: under its name, and in a text or not."""
    key = _name(name) if name is not None else ""
    named = b"{%b:" % orjson.dumps(key if policy.names.is_safe(key) else "")
    return (_IN_TEXT + named, b"}}") if kind == Kind.INSIDE else (named, b"}")


def _nested(
    around: list[tuple[bytes, bytes]], inner: list[bytes | None], policy: Policy, tally: Tally, depth: int
) -> pl.Series:
    """JSON, redacted as lines are; null for what is none."""
    lines = [head + text + end for (head, end), text in zip(around, inner, strict=True) if text is not None]
    done = iter(redact_lines(b"\n".join(lines), policy, tally, depth).split(b"\n") if lines else ())
    new = [
        None if text is None else next(done)[len(head) : -len(end)].decode()
        for (head, end), text in zip(around, inner, strict=True)
    ]
    return pl.Series(new, dtype=pl.String)


def _on_one_line(text: str) -> bytes | None:
    """A text of JSON on one line; None where it is none."""
    try:
        return orjson.dumps(orjson.loads(text))
    except (orjson.JSONDecodeError, TypeError, RecursionError):
        return None


def _with_safe_keys(pieces: _Pieces, policy: Policy, tally: Tally) -> pl.Series:
    """The tokens, keys replaced that are no names but texts or addresses."""
    odd = [token for token in pieces.names if not policy.names.is_safe(_name(token))]
    if not odd:
        return pieces.tokens
    keys = pieces.tokens.gather(pieces.keys)
    tally.add("key", int(keys.is_in(odd).sum()))
    new = [f'"{policy.pseudonyms.one(_name(token), "key_")}":' for token in odd]
    return put(pieces.tokens, pieces.keys, keys.replace(odd, new))


def _with_numbers(tokens: pl.Series, pieces: _Pieces, policy: Policy, tally: Tally) -> pl.Series:
    """The tokens, numbers replaced that are ids or personal: each stands right behind its key."""
    behind = pieces.keys.filter(pieces.kinds.gather(pieces.keys).is_in(policy.whole)) + 1
    rows = behind.filter(tokens.gather(behind).str.contains(_NUMBER))
    if not rows.len():
        return tokens
    old, kinds = tokens.gather(rows), pieces.kinds.gather(rows)
    numbers = replaced(kinds, old.str.extract(_NUMBER, 2), policy, tally)
    return put(tokens, rows, encoded(numbers) + old.str.replace(_NUMBER, ""))
