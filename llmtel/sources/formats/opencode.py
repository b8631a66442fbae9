"""opencode: messages below `~/.local/share/opencode/storage`, or in `opencode.db`: https://opencode.ai."""

from __future__ import annotations

import polars as pl

from llmtel.sources import opencode, raw
from llmtel.sources.agents import folder
from llmtel.sources.anthropic import UNSTATED_LIFE
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Remark, Source, Table

_ERROR = raw.text("error.name")
_COST = raw.number("cost")
_FOLDER = folder(raw.text("path.cwd"))

SOURCES = (
    Source(
        name="opencode",
        help="opencode messages (~/.local/share/opencode: storage/message/*.json or opencode.db)",
        link="https://opencode.ai/docs",
        marks=(
            Mark(all=("sessionID", "role"), any=("modelID", "providerID", "model.modelID", "time.created")),
            Mark(all=("sessionID", "messageID", "type")),
        ),
        tables=(
            Table(
                name="message",
                document="data",
                columns={"id": "id", "sessionID": "session_id"},
                needs=frozenset({"id", "session_id", "time_created", "data"}),
            ),
        ),
        keep=(raw.text("role") == "assistant")
        & pl.any_horizontal(value.is_not_null() for value in (opencode.IN, opencode.OUT, _ERROR)),
        loose=(_COST,),
        calls={
            "ts": raw.time("time.created"),
            "latency_ms": raw.number("time.completed") - raw.number("time.created"),
            "call_id": raw.text("id"),
            "session": raw.text("sessionID"),
            "provider": opencode.PROVIDER,
            "model": raw.text("modelID", "model.modelID"),
            "agent": raw.text("agent", "mode"),
            "feature": _FOLDER,
            "project": _FOLDER,
            **opencode.LEAVES,
            # 0 is what opencode writes for a subscription, and for a model without a price
            "cost_logged": pl.when(_COST > 0).then(_COST),
            "finish_reason": raw.text("finish"),
            "http_status": raw.code("error.data.statusCode"),
            TEXT: _ERROR,
            ANSWERED: opencode.OUT.is_not_null(),
        },
        remarks={"ttl_unknown": Remark(opencode.WRITE > 0, UNSTATED_LIFE)},
        sample=lines("""
            {"id":"msg_1","sessionID":"ses_1","role":"user","time":{"created":1788256800000},"model":{
              "providerID":"anthropic","modelID":"claude-sonnet-4-6"}}
            {"id":"msg_2","sessionID":"ses_1","role":"assistant","time":{"created":1788256801000,
              "completed":1788256805500},"modelID":"claude-sonnet-4-6","providerID":"anthropic",
              "mode":"build","path":{"cwd":"/home/me/shop","root":"/"},"cost":0.0123,"tokens":{"total":3950,
              "input":120,"output":400,"reasoning":130,"cache":{"read":3000,"write":300}},"finish":"stop"}
            {"id":"msg_3","sessionID":"ses_1","role":"assistant","time":{"created":1788256810000},
              "modelID":"claude-sonnet-4-6","providerID":"anthropic","cost":0,"error":{
              "name":"MessageAbortedError","data":{"message":"stopped"}},"tokens":{"input":0,"output":0,
              "reasoning":0,"cache":{"read":0,"write":0}}}
            {"id":"prt_1","sessionID":"ses_1","messageID":"msg_2","type":"step-finish","tokens":{"input":120,
              "output":400}}
        """),
        expect=rows("""
            {"call_id": "msg_2", "session": "ses_1", "provider": "anthropic", "model": "claude-sonnet-4-6",
              "agent": "build", "project": "shop", "latency_ms": 4500.0, "input_uncached": 120,
              "cache_read": 3000, "cache_write_5m": 300, "output_text": 400, "reasoning": 130,
              "cost_logged": 0.0123, "status": "ok"}
            {"call_id": "msg_3", "status": "error", "error": "cancelled", "input_uncached": null,
              "cost_logged": null, "latency_ms": null}
        """),
    ),
)
