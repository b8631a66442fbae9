"""aider's analytics log (`aider --analytics-log FILE`): https://aider.chat/docs/more/analytics.html.

One event a line; what is sent to a model and answered is a `message_send`. Its `cost` is that message's,
while `total_cost` grows over the run of the program. Nothing in a line tells it from an equal one.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import dated_by_answer
from llmtel.sources.outcome import TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_EVENT, _MODEL = raw.text("event"), raw.text("properties.main_model")
_COST = raw.number("properties.cost")
_FAILED = _EVENT == "message_send_exception"

SOURCES = (
    Source(
        name="aider",
        help="aider analytics events; a failed send (message_send_exception) is read as documented",
        link="https://aider.chat/docs/more/analytics.html",
        marks=(Mark(all=("event", "properties", "user_id", "time")),),
        markers=('"message_send"', '"message_send_exception"'),
        keep=_EVENT.is_in(["message_send", "message_send_exception"]),
        calls={
            "ts": raw.time("time"),
            "model": pl.when(_MODEL != "None").then(_MODEL),
            "input_uncached": raw.count("properties.prompt_tokens"),
            "output_text": raw.count("properties.completion_tokens"),
            "cost_logged": _COST,
            "feature": raw.text("properties.edit_format"),
            "user": raw.text("user_id"),
            TEXT: pl.when(_FAILED).then(
                pl.concat_str(
                    pl.lit("exception"), raw.text("properties.exception"), separator=" ", ignore_nulls=True
                )
            ),
        },
        remarks=dated_by_answer(raw.time("time")),
        sample=lines("""
            {"event":"launched","properties":{},"user_id":"u1","time":1788256700}
            {"event":"message_send_starting","properties":{},"user_id":"u1","time":1788256710}
            {"event":"message_send","properties":{"main_model":"gpt-5-mini","edit_format":"diff",
              "prompt_tokens":900,"completion_tokens":40,"total_tokens":940,"cost":0.0003,
              "total_cost":0.0003},"user_id":"u1","time":1788256713}
            {"event":"message_send","properties":{"main_model":null,"edit_format":"ask","prompt_tokens":950,
              "completion_tokens":10,"total_tokens":960,"cost":0,"total_cost":0.0003},"user_id":"u1",
              "time":1788256720}
        """),
        expect=rows("""
            {"model": "gpt-5-mini", "input_uncached": 900, "output_text": 40, "cost_logged": 0.0003,
              "feature": "diff", "user": "u1", "status": null, "latency_ms": null}
            {"model": null, "input_uncached": 950, "cost_logged": 0.0}
        """),
    ),
)
