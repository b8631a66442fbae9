"""What the columns of a reconciliation mean."""

from __future__ import annotations

from collections.abc import Mapping

from llmtel.core.answers import Column
from llmtel.core.schema import FIELDS, LEAVES
from llmtel.core.units import COUNT, TOKENS, USD
from llmtel.query.reconciliation import MONEY

WORDS: Mapping[str, tuple[str, str]] = {
    "calls": ("calls", "Calls in the logs"),
    "requests": ("requests", "Requests on the bill; unknown where it counts none"),
    "cost_logged": ("logged", "Σ cost that the logs state"),
    "cost_computed": ("computed", "Σ cost of the logs' calls at the price book's rates"),
    "cost_billed": ("billed", "Σ cost on the bill; where it states none, its usage at the book's rates"),
    "difference": ("difference", "Billed − computed, the sum of its causes"),
    "not_in_logs": ("not in our logs", "Billed requests that the logs do not have, at the bill's usage"),
    "not_on_bill": ("not on the bill yet", "Calls of the logs that are not billed, at their own usage"),
    "token_counts": ("token counts differ", "The rest of billed usage − our usage, both at the book's rates"),
    "price": ("price differs", "Billed − the billed usage at the book's rates"),
    "unexplained": ("unexplained", "Where the bill has no tokens, or a side has no price"),
}
LEAF = Column("leaf", "tokens", "Field of a call that counts them", "dimension")
CAUSE = Column("cause", "why", "Cause of a part of the difference", "dimension")
MOSTLY = Column("mostly", "mostly", "Largest cause of the difference", "field", null="none")
SHOWN = ("calls", "requests", "cost_logged", "cost_computed", "cost_billed", "difference")
"""What people see of a table; machines have every cause and every kind of token."""
REASON = Column("reason", "reason", "Why a difference is unexplained", "field", null="none")
REMAINDER = Column(
    "remainder", "remainder", "True for what is billed and belongs to no call of the logs", "field"
)


def column_of(name: str) -> Column:
    """The column of a dimension, a number of `WORDS`, or a kind of token on one of the sides."""
    if name.removeprefix("billed_") in LEAVES:
        leaf = name.removeprefix("billed_")
        side = "on the bill" if leaf != name else "in the logs"
        return Column(name, name.replace("_", " "), f"{FIELDS[leaf].help}, {side}", "metric", TOKENS)
    if name == REASON.id:
        return REASON
    if name not in WORDS:
        help_ = "Day as YYYY-MM-DD, UTC" if name == "day" else FIELDS[name].help
        return Column(name, name.replace("_", " "), help_, "dimension")
    label, help_ = WORDS[name]
    return Column(name, label, help_, "metric", USD if name in MONEY else COUNT)
