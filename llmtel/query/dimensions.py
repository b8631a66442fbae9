"""DIMENSIONS: every way to split calls, and `tags.KEY` for the extra keys that were kept.

A dimension gives a *key*, cheap to group by (a date, an hour as an instant), and *words* made of the key
for the few groups that come out. Keys of time are in the reader's time zone and right across a change of
clocks: an hour that occurs twice is two hours, told apart by their offset.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import polars as pl
from msgspec import Struct

from llmtel.core.catalog import Catalog, unknown
from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.schema import FIELDS, Null

TAGS = "tags."


def _same(key: pl.Expr) -> pl.Expr:
    return key


class Dimension(Struct, frozen=True):
    """A way to split: `key(tz)` over calls, then `words(key)` over groups. `time` keys are in order of time.

    `numeric` says that the value is a number (an HTTP status, an hour of the day) and not text, `null` what
    a missing value means.
    """

    name: str
    help: str
    key: Callable[[str], pl.Expr]
    words: Callable[[pl.Expr], pl.Expr] = _same
    time: bool = False
    numeric: bool = False
    null: Null = "unknown"

    @property
    def label(self) -> str:
        """The words of a table's head."""
        return self.name.replace("_", " ")

    @property
    def needs(self) -> frozenset[str]:
        """The fields of a call that it reads."""
        return frozenset(self.key("UTC").meta.root_names())

    def value(self, tz: str) -> pl.Expr:
        """The value itself, over calls."""
        return self.words(self.key(tz))


def field_of(name: str, *, numeric: bool = False) -> Dimension:
    """The dimension of a field's values as they are."""
    field = FIELDS[name]
    return Dimension(name, field.help, lambda _tz: pl.col(name), numeric=numeric, null=field.null)


def _price(_tz: str) -> pl.Expr:
    """How a cost is known, in words."""
    reason, flags = (pl.col(name).cast(pl.String) for name in ("price_reason", "price_flags"))
    known = (
        pl.when(flags == "logged")
        .then(pl.lit("logged"))
        .when(flags == "not_billed")
        .then(pl.lit("not billed"))
        .when(flags.str.contains("assumed_cache_rate", literal=True))
        .then(pl.lit("priced, cache rate assumed"))
        .otherwise(pl.lit("priced"))
    )
    unpriced = pl.format("unpriced: {}", reason)
    return pl.when(reason.is_not_null()).then(unpriced).when(pl.col("cost_usd").is_not_null()).then(known)


def _local(tz: str) -> pl.Expr:
    return pl.col("ts").dt.convert_time_zone(tz)


def _slot(name: str, every: str, help_: str) -> Dimension:
    """A slice of the day as an instant; `truncate` keeps the two copies of a repeated hour apart."""
    return Dimension(
        name,
        f"{help_}, as ISO with offset, in the time zone",
        lambda tz: _local(tz).dt.truncate(every),
        lambda key: key.dt.to_string("%Y-%m-%dT%H:%M:%S%:z"),
        time=True,
    )


def _date(name: str, pattern: str, start: Callable[[pl.Expr], pl.Expr], help_: str) -> Dimension:
    return Dimension(
        name,
        f"{help_}, in the time zone",
        lambda tz: start(_local(tz).dt.date()),
        lambda key: key.dt.to_string(pattern),
        time=True,
    )


def _monday(date: pl.Expr) -> pl.Expr:
    return date.dt.truncate("1w")


def _first(date: pl.Expr) -> pl.Expr:
    return date.dt.month_start()


DIMENSIONS: Catalog[Dimension] = Catalog(
    "dimension",
    (
        *map(
            field_of,
            (
                "model",
                "model_requested",
                "provider",
                "user",
                "feature",
                "project",
                "api_key",
                "branch",
                "agent",
            ),
        ),
        *map(field_of, ("environment", "session", "prompt", "prompt_version", "variant", "case", "region")),
        *map(field_of, ("operation", "status")),
        field_of("http_status", numeric=True),
        *map(
            field_of, ("error", "finish_reason", "service_tier", "format", "file", "token_source", "price_id")
        ),
        Dimension("price", "How the cost is known: priced, logged, not billed, or why there is none", _price),
        _date("day", "%Y-%m-%d", _same, "Day as YYYY-MM-DD"),
        _date("week", "%G-W%V", _monday, "ISO week as YYYY-Www"),
        _date("month", "%Y-%m", _first, "Month as YYYY-MM"),
        _slot("hour", "1h", "Hour"),
        _slot("15m", "15m", "Quarter of an hour"),
        _slot("5m", "5m", "Five minutes"),
        _slot("minute", "1m", "Minute"),
        Dimension(
            "hour_of_day",
            "Hour of the day, 0 to 23, in the time zone",
            lambda tz: _local(tz).dt.hour(),
            time=True,
            numeric=True,
        ),
        Dimension(
            "weekday",
            "Day of the week, 1 (Monday) to 7, in the time zone",
            lambda tz: _local(tz).dt.weekday(),
            time=True,
            numeric=True,
        ),
    ),
)

FINER_THAN_HOURS = frozenset({"15m", "5m", "minute"})
"""Dimensions of time that an hour does not tell."""


def tag(key: str) -> Dimension:
    """The dimension of one extra key, read from the JSON object in `tags`.

    Raises `UsageError` for an empty key, and for one that the path language of Polars cannot quote.
    """
    if not key or "\\" in key or {"'", '"'} <= set(key):
        raise UsageError(
            f"tags.{key}: tags. needs a key without backslashes, or both quotation marks, e.g. tags.env"
        )
    quote = '"' if "'" in key else "'"
    path = f"$[{quote}{key}{quote}]"
    return Dimension(
        TAGS + key,
        f"Extra key {key!r} of the log",
        lambda _tz: pl.col("tags").cast(pl.String).str.json_path_match(path),
    )


def named(name: str, own: Collection[str]) -> str:
    """The dimension that a name means where `own` are extra keys that may be called by their bare name.

    Raises `UnknownName` where it is neither a dimension nor one of them.
    """
    if not own or name in DIMENSIONS or name.startswith(TAGS):
        return name
    if name not in own:
        raise UnknownName(unknown("dimension", name, (*DIMENSIONS, *own)))
    return TAGS + name


def dimension(name: str) -> Dimension:
    """The dimension with this name, `tags.KEY` included. Raises `UnknownName` with a suggestion."""
    return tag(name.removeprefix(TAGS)) if name.startswith(TAGS) else DIMENSIONS[name]
