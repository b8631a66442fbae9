"""The rules where nobody wrote any, as the file that `check --init` writes."""

from __future__ import annotations

from llmtel.checks.rulefile import read
from llmtel.checks.rules import RuleSet
from llmtel.document import Document

TEXT = """\
checks:
  - metric: cost_per_call
    max_increase: 10%
    min_abs: $0.0001      # a smaller change does not matter, however sure it is
  - metric: p95_latency
    max_increase: 20%
    severity: warn
  - metric: error_rate
    max_increase: 0.5pp
  - metric: unpriced_calls
    max_increase: 0       # none beyond those of the baseline
"""


def default_rules() -> RuleSet:
    """The rules of TEXT."""
    return read(Document("default rules", TEXT.encode()))
