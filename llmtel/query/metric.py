"""Metric: one number with meaning, declared once in the catalog of `metrics`."""

from __future__ import annotations

from dataclasses import dataclass

from llmtel.core.answers import Better
from llmtel.core.units import Unit
from llmtel.query.measures import Measure, Ratio


@dataclass(frozen=True)
class Metric:
    """One number with meaning: what it aggregates, its unit, a definition, and which way is better.

    `name` is its id; `label` the words of a table's head; `needs` the fields it reads, recovered from the
    expression.
    """

    name: str
    expr: Measure | Ratio
    unit: Unit
    help: str
    label: str = ""
    better: Better | None = None

    @property
    def needs(self) -> frozenset[str]:
        """The fields of a call that it reads."""
        return self.expr.needs

    @property
    def head(self) -> str:
        """The label, or the name in words."""
        return self.label or self.name.replace("_", " ")

    def method(self, *, sampled: bool) -> str | None:
        """How the number was found, where that is a question; distinct things are only seen, never scaled."""
        parts = (self.expr,) if isinstance(self.expr, Measure) else (self.expr.over, self.expr.under)
        if sampled:
            return "observed" if parts[-1].how in ("distinct", "max") else "estimated"
        return "exact" if parts[0].how == "quantile" else None
