"""Lines of JSON with what must not leave replaced: cut into strings and what stands between, and joined.

Only values that change are written anew: numbers, order, blanks and the other values stay byte for byte.
"""

from __future__ import annotations

import orjson
import polars as pl

from llmtel.privacy.names import TEXTS, Kind, plain
from llmtel.privacy.redact import put
from llmtel.privacy.values import NESTED, Policy, Tally, decoded, encoded, replaced, settled

UNREADABLE = "(a line that could not be read)"
"""What stands in place of a line that is no JSON object: it may hold anything. It is no JSON either."""
_PIECE = r'"[^"\\]*(?:\\.[^"\\]*)*"(?:[ \t]*:[ \t]*)?|[^"]+'
"""A string, with the colon behind it where it is a key; or what is between strings."""
_NUMBER = r"^(\s*)(-?[0-9][0-9.eE+-]*)"
_ATTRIBUTE_VALUES = ("value", "string_value", "int_value", "double_value", "bool_value")
"""Keys of an attribute's value in OTLP/JSON, whose name stands beside it."""
_IN_TEXT = b'{"text":'
_FLAT = (Kind.TEXT, Kind.PERSONAL, Kind.USER)
"""Kinds whose values are taken whole, whatever is in them."""
_DONE = 255
"""In place of a kind: replaced already."""
_DEEPEST = 4
"""How deep JSON is looked for in texts of JSON; what lies deeper goes."""


def redact_lines(data: bytes, policy: Policy, tally: Tally, depth: int = 0) -> bytes:
    """Lines of JSON objects as they may be shared. A line that is none becomes `UNREADABLE`."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = pl.Series(text.split("\n"))
    lines = _readable(lines, data, tally)
    tokens = _tokens(lines, policy)
    new = _replaced(tokens, policy, tally, depth)
    return str(new.str.join("").item() or "").removesuffix("\n").encode()


def _readable(lines: pl.Series, data: bytes, tally: Tally) -> pl.Series:
    """The lines, those that are no JSON objects marked."""
    blank = lines.str.strip_chars() == ""
    try:
        lines.filter(~blank).str.json_decode(pl.Struct({"\0": pl.Int64}))
    except pl.exceptions.PolarsError:
        pass
    else:
        if b"\xef\xbf\xbd" not in data and _is_utf8(data):
            return lines
    raw = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    bad = [i for i, line in enumerate(raw) if line.strip() and not _is_object(line)]
    tally.add("line", len(bad))
    return put(lines, pl.Series(bad), pl.Series([UNREADABLE]).new_from_index(0, len(bad))) if bad else lines


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except (orjson.JSONDecodeError, RecursionError):
        return False


def _tokens(lines: pl.Series, policy: Policy) -> pl.DataFrame:
    """The pieces of the lines in order: `token`, whether it is a `key` or a `string`, and the `kind` of it.

    The kind of a string or a number is that of the key before it.
    """
    tokens = (lines + "\n").str.extract_all(_PIECE).explode().alias("token").to_frame()
    quoted, ended = pl.col("token").str.starts_with('"'), pl.col("token").str.ends_with('"')
    frame = tokens.with_columns(key=quoted & ~ended, string=quoted & ended)
    frame = _with_attributes(frame.with_columns(name=pl.when("key").then("token").forward_fill()))
    names = frame["name"].unique().drop_nulls()
    kinds = [policy.names.kind(_name(one)) for one in names]
    frame = frame.with_columns(
        kind=pl.col("name").replace_strict(names, kinds, default=Kind.OTHER, return_dtype=pl.UInt8)
    )
    return _with_scopes(frame, names)


def _name(token: str) -> str:
    return str(orjson.loads(token[: token.rindex('"') + 1])) if token.startswith('"') else token


def _with_attributes(frame: pl.DataFrame) -> pl.DataFrame:
    """Tokens whose `name` is, for the value of an attribute of OTLP, the attribute's."""
    names = frame["name"].unique().drop_nulls()
    of_values = [one for one in names if plain(_name(one)) in _ATTRIBUTE_VALUES]
    of_keys = [one for one in names if _name(one) == "key"]
    if not of_values or not of_keys:
        return frame
    attribute = pl.when(pl.col("string") & pl.col("name").is_in(of_keys)).then("token").forward_fill()
    return frame.with_columns(
        name=pl.when(pl.col("name").is_in(of_values)).then(pl.coalesce(attribute, "name")).otherwise("name")
    )


def _with_scopes(frame: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """Tokens in an object or a list that a text's name stands before are texts, if nothing says better."""
    texts = [one for one in names if plain(_name(one)) in TEXTS]
    if not texts:
        return frame
    between = frame.with_row_index("row").filter(
        ~pl.col("token").str.starts_with('"') & pl.col("token").str.contains(r"[\[\]{}]")
    )
    step = pl.col("token").str.count_matches(r"[\[{]").cast(pl.Int32) - pl.col("token").str.count_matches(
        r"[\]}]"
    ).cast(pl.Int32)
    marks = between.select(
        "row",
        depth=step.cum_sum(),
        before=step.cum_sum() - step,
        opens=pl.col("name").is_in(texts) & pl.col("token").str.contains(r"^\s*[\[{]"),
    )
    marks = marks.with_columns(opens=pl.col("opens") & (pl.col("depth") > pl.col("before")))
    inside = pl.lit(value=False)
    for depth in marks.filter("opens")["before"].unique():
        state = (
            pl.when(pl.col("opens") & (pl.col("before") == depth))
            .then(True)
            .when(pl.col("depth") <= depth)
            .then(False)
        )
        inside |= state.forward_fill().fill_null(value=False)
    scoped = marks.select("row", inside=inside)
    frame = frame.with_row_index("row").join(scoped, on="row", how="left", maintain_order="left")
    inner = pl.col("inside").forward_fill().fill_null(value=False)
    kind = (
        pl.when(inner & (pl.col("kind") == Kind.OTHER)).then(pl.lit(Kind.INSIDE, pl.UInt8)).otherwise("kind")
    )
    return frame.with_columns(kind=kind).drop("row", "inside")


def _replaced(frame: pl.DataFrame, policy: Policy, tally: Tally, depth: int) -> pl.Series:
    """The tokens, those replaced that must be."""
    tokens = _with_safe_keys(frame, policy, tally)
    rows = frame["string"].arg_true()
    strings = frame["token"].gather(rows)
    kinds = settled(frame["kind"].gather(rows), strings.str.slice(1).str.head(-1))
    names = frame["name"].gather(rows)
    tokens = put(tokens, rows, _strings(strings, kinds, names, policy, tally, depth))
    return _with_numbers(tokens, frame, policy, tally)


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
    inner = (values.str.contains(NESTED) & ~kinds.is_in(_FLAT)).arg_true()
    if inner.len():
        before = [
            _before(kind, name, policy)
            for kind, name in zip(kinds.gather(inner), names.gather(inner), strict=True)
        ]
        values = put(values, inner, _nested(before, values.gather(inner), policy, tally, depth + 1))
        kinds = put(kinds, inner, pl.Series([_DONE], dtype=pl.UInt8).new_from_index(0, inner.len()))
    return replaced(kinds, values, policy, tally)


def _before(kind: int, name: str | None, policy: Policy) -> bytes:
    """What JSON is put behind, so that it is redacted as what it is: its name, and what is around it."""
    key = _name(name) if name is not None else ""
    named = b"{%b:" % orjson.dumps(key if policy.names.is_safe(key) else "")
    return _IN_TEXT + named if kind == Kind.INSIDE else named


def _nested(before: list[bytes], texts: pl.Series, policy: Policy, tally: Tally, depth: int) -> pl.Series:
    """Texts of JSON, redacted as lines are; what is none after all, or lies too deep, goes."""
    inner = [_on_one_line(text) if depth <= _DEEPEST else None for text in texts]
    lines = [
        head + text + b"}" * head.count(b"{")
        for head, text in zip(before, inner, strict=True)
        if text is not None
    ]
    done = iter(redact_lines(b"\n".join(lines), policy, tally, depth).split(b"\n") if lines else ())
    tally.add("text", len(inner) - len(lines))
    new = [
        "" if text is None else next(done)[len(head) : -head.count(b"{")].decode()
        for head, text in zip(before, inner, strict=True)
    ]
    return pl.Series(new, dtype=pl.String)


def _on_one_line(text: str) -> bytes | None:
    """A text of JSON on one line; None where it is none."""
    try:
        return orjson.dumps(orjson.loads(text))
    except (orjson.JSONDecodeError, TypeError, RecursionError):
        return None


def _with_safe_keys(frame: pl.DataFrame, policy: Policy, tally: Tally) -> pl.Series:
    """The tokens, keys replaced that are no names but texts or addresses."""
    keys = frame.filter("key")["token"].value_counts(name="n")
    odd = {token: n for token, n in keys.iter_rows() if not policy.names.is_safe(_name(token))}
    if not odd:
        return frame["token"]
    tally.add("key", sum(odd.values()))
    new = [f'"{policy.pseudonyms.one(_name(token), "key_")}":' for token in odd]
    rows = frame["key"].arg_true()
    tokens = frame["token"]
    return put(tokens, rows, tokens.gather(rows).replace(list(odd), new))


def _with_numbers(tokens: pl.Series, frame: pl.DataFrame, policy: Policy, tally: Tally) -> pl.Series:
    """The tokens, numbers replaced that are ids or personal."""
    rows = (
        frame.select(
            pl.col("kind").is_in(policy.whole)
            & pl.col("key").shift(1, fill_value=False)
            & pl.col("token").str.contains(_NUMBER)
        )
        .to_series()
        .arg_true()
    )
    if not rows.len():
        return tokens
    old, kinds = tokens.gather(rows), frame["kind"].gather(rows)
    numbers = replaced(kinds, old.str.extract(_NUMBER, 2), policy, tally)
    rest = old.str.replace(_NUMBER, "")
    return put(tokens, rows, encoded(numbers) + rest)
