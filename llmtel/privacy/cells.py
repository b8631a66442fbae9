"""Tables of texts (CSV) with what must not leave replaced: a column's head says what its cells are."""

from __future__ import annotations

import json

import polars as pl

from llmtel.privacy.lines import redact_strings
from llmtel.privacy.redact import put
from llmtel.privacy.values import Policy, Tally, settled


def redact_table(table: pl.DataFrame, policy: Policy, tally: Tally) -> pl.DataFrame:
    """A table of String columns as it may be shared; the heads stay."""
    done = {}
    for name in table.columns:
        cells = table[name].fill_null("")
        kinds = pl.Series([policy.names.kind(name)], dtype=pl.UInt8).new_from_index(0, cells.len())
        numbers = cells.str.contains(r"^\s*-?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?\s*$")
        kinds = settled(kinds, cells)
        rows = (~numbers | kinds.is_in(policy.whole)).arg_true()
        names = pl.Series([json.dumps(name)]).new_from_index(0, rows.len())
        new = redact_strings(kinds.gather(rows), names, cells.gather(rows), policy, tally)
        done[name] = put(cells, rows, new)
    return pl.DataFrame(done, schema=dict.fromkeys(table.columns, pl.String))
