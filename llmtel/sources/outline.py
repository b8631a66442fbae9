"""A mapping made of the aliases that a file uses: an expression for every fact, and the units decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from statistics import median

import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from llmtel.sources import raw
from llmtel.sources.aliases import Place, normalised
from llmtel.sources.outcome import SUCCESS, TEXT, WORD, joined
from llmtel.sources.project import numeral
from llmtel.sources.source import Remark, Source
from llmtel.sources.usage import INPUT_TOTAL_ONLY, leaves

_PLAIN_TEXTS = (
    "provider", "model", "model_requested", "operation", "user", "feature", "project", "api_key", "branch",
    "agent", "environment", "session", "trace", "prompt", "prompt_version", "variant", "case", "region",
    "finish_reason", "service_tier",
)  # fmt: skip
_PLAIN_COUNTS = ("retries", "web_searches", "context_limit", "prompt_chars", "output_chars")
_FLAGS = ("batch", "regenerated", "corrected", "escalated", "hallucination", "resolved")
_RESPONSE_IDS = r"^(?:chatcmpl-|resp_|msg_|gen-|cmpl-)"
SECONDS_BELOW, MS_FROM = 120, 20
"""A bare duration: fractions with a median below are seconds, whole numbers from there on milliseconds."""


def between(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Milliseconds from a start to an end."""
    return (end - start).dt.total_microseconds() / 1000


def _between(start: pl.Expr | None, end: pl.Expr | None) -> pl.Expr | None:
    return None if start is None or end is None else between(start, end)


def _in_ms(seconds: pl.Expr | None) -> pl.Expr | None:
    return None if seconds is None else seconds * 1000


def _first_known(found: Sequence[pl.Expr | None]) -> pl.Expr | None:
    known = [expression for expression in found if expression is not None]
    return None if not known else known[0] if len(known) == 1 else pl.coalesce(known)


Reader = Callable[[str], pl.Expr]
"""Makes the expression for what stands at a path."""
_MOST_PLACES = 3
"""Places of one fact that are asked: more would cost every record for the sake of few."""


class Outline(Struct):
    """The facts of a file as expressions. `places`: where each fact stands; `decisions`: what was chosen.

    `undecided` are values that are there and not read, because nothing tells what they mean.
    """

    places: dict[str, list[Place]]
    decisions: list[str] = field(default_factory=list)
    undecided: list[pl.Expr] = field(default_factory=list)

    def of(self, source: Source) -> Source:
        """The source with the facts as its mapping."""
        calls = self.calls()
        reads = tuple(self.undecided)
        remarks = {**source.remarks, **self._remarks()}
        return replace(source, calls=calls, reads=reads, remarks=remarks, decisions=tuple(self.decisions))

    def _remarks(self) -> dict[str, Remark]:
        """What a log without the tokens of caches does not tell, where its costs are not its own."""
        told = not {"cache_read", "cost_logged"}.isdisjoint(self.places)
        read = None if told else self.count("input")
        return {} if read is None else {"input_total_only": Remark(read > 0, INPUT_TOTAL_ONLY)}

    def text(self, fact: str) -> pl.Expr | None:
        """A text fact: the first of its places that has one."""
        return self._first(fact, raw.text)

    def number(self, fact: str) -> pl.Expr | None:
        """A number."""
        return self._first(fact, raw.number)

    def count(self, fact: str) -> pl.Expr | None:
        """A whole number."""
        return self._first(fact, raw.count)

    def time(self, fact: str) -> pl.Expr | None:
        """A time."""
        return self._first(fact, raw.time)

    def flag(self, fact: str) -> pl.Expr | None:
        """A boolean; what is not written as one is read from its text."""
        return self._first(fact, self._flag_at)

    def _flag_at(self, path: str) -> pl.Expr:
        seen = [
            value
            for places in self.places.values()
            for place in places
            if place.path == path
            for value in place.values
        ]
        if all(isinstance(value, bool) for value in seen):
            return raw.flag(path)
        word = raw.text(path).str.to_lowercase()
        yes, no = ["true", "1", "up", "positive", "yes"], ["false", "0", "-1", "down", "negative", "no"]
        return pl.when(word.is_in(yes)).then(statement=True).when(word.is_in(no)).then(statement=False)

    def _first(self, fact: str, reader: Reader) -> pl.Expr | None:
        return _first_known([reader(place.path) for place in self.places.get(fact, ())[:_MOST_PLACES]])

    def calls(self) -> dict[str, pl.Expr]:
        """The mapping of all facts of the file."""
        mapping: dict[str, pl.Expr | None] = {name: self.text(name) for name in _PLAIN_TEXTS}
        mapping |= {name: self.count(name) for name in _PLAIN_COUNTS}
        mapping |= {name: self.flag(name) for name in _FLAGS}
        mapping |= {"ts": self.time("ts"), "cost_logged": self.number("cost_logged")}
        mapping |= {
            "rating": self.number("rating"),
            "sample_rate": self.number("sample_rate"),
            "thumb": self.flag("thumb"),
        }
        mapping |= self._ids() | self._durations() | self._outcome()
        if mapping["retries"] is None and (attempt := self.count("attempt")) is not None:
            mapping["retries"] = pl.when(attempt > 0).then(attempt - 1)
        mapping |= self._tokens()
        return {name: expression for name, expression in mapping.items() if expression is not None}

    def _ids(self) -> dict[str, pl.Expr | None]:
        call_id, response_id = self.text("call_id"), self.text("response_id")
        span, trace = self.text("span_id"), self.text("trace")
        if call_id is None and span is not None and trace is not None:
            call_id = pl.concat_str([trace, span], separator="/")
        looks = [
            raw.text(place.path)
            for place in self.places.get("call_id", ())
            if any(re.match(_RESPONSE_IDS, str(value)) for value in place.values)
        ]
        if response_id is None and looks:
            response_id = pl.coalesce(pl.when(one.str.contains(_RESPONSE_IDS)).then(one) for one in looks)
        return {"call_id": call_id, "response_id": response_id}

    def _durations(self) -> dict[str, pl.Expr | None]:
        start, end, first = self.time("ts"), self.time("end"), self.time("first_token")
        latency = [self.number("latency_ms"), _in_ms(self.number("latency_s"))]
        ttft = [self.number("ttft_ms"), _in_ms(self.number("ttft_s")), _between(start, first)]
        bare = all(known is None for known in latency) and self._seen("end") < self._seen("latency")
        # between two times of a call there is no doubt; a time of another name may be that of its end
        latency.insert(0 if self._tells_the_start() else len(latency), _between(start, end))
        latency.append(self._bare_latency() if bare else None)
        return {"latency_ms": _first_known(latency), "ttft_ms": _first_known(ttft)}

    def _tells_the_start(self) -> bool:
        """Whether the name of the time says that it is the start of a call."""
        name = self.places["ts"][0].path.rpartition(".")[2] if "ts" in self.places else ""
        return normalised(name).startswith("start")

    def _seen(self, fact: str) -> int:
        """How many of the records that were looked at have a fact, at its best place."""
        return len(self.places[fact][0].values) if fact in self.places else 0

    def _bare_latency(self) -> pl.Expr | None:
        """A duration whose name has no unit: decided once from the values, and always stated."""
        found = self.places.get("latency")
        if not found:
            return None
        place = found[0]
        numbers = [numeral(value) if isinstance(value, str) else value for value in place.values]
        values = [float(n) for n in numbers if isinstance(n, int | float) and not isinstance(n, bool)]
        if not values:
            return None
        whole, middle = all(value.is_integer() for value in values), median(values)
        if not whole and middle < SECONDS_BELOW:
            self.decisions.append(f"{place.path} is read as seconds (fractions, median {middle:.3g})")
            return raw.number(place.path) * 1000
        if whole and middle >= MS_FROM:
            decision = f"{place.path} is read as milliseconds (whole numbers, median {middle:.3g})"
            self.decisions.append(decision)
            return raw.number(place.path)
        unsaid = f"its values (median {middle:.3g}) do not tell seconds from milliseconds"
        way = f"--map latency_ms={place.path}:s or --map latency_ms={place.path}:ms"
        self.decisions.append(f"{place.path} is not read: {unsaid}; say which with {way}")
        self.undecided.append(raw.number(place.path))
        return None

    def _outcome(self) -> dict[str, pl.Expr | None]:
        """What came of the call. The usual names of an error are read even if no sampled record has one."""
        texts = [raw.text(place.path) for place in self.places.get("error", ())]
        texts = texts or [raw.text(path) for path in ("error", "error.type", "error.message", "error_type")]
        success, failed = self.flag("success"), self.flag("is_error")
        if success is None and failed is not None:
            success = ~failed
        codes = self._first("http_status", raw.code)
        return {
            WORD: self.text("status"),
            TEXT: joined(texts),
            SUCCESS: success,
            "http_status": codes if codes is not None else raw.code("status_code"),
        }

    def _tokens(self) -> dict[str, pl.Expr]:
        p, c = self.count("input"), self.count("output")
        if p is None and c is None:
            alone = [*self.places.get("total", ()), *self.places.get("unsplit", ())]
            self.decisions += [
                f"{place.path} is not read: it does not tell input from output" for place in alone[:1]
            ]
            return {}
        return leaves(
            input=p if p is not None else pl.lit(None, dtype=pl.Int64),
            output=c if c is not None else pl.lit(None, dtype=pl.Int64),
            cache_read=self.count("cache_read"),
            cache_write=self.count("cache_write"),
            cache_write_1h=self.count("cache_write_1h"),
            reasoning=self.count("reasoning"),
            total=self.count("total"),
        )
