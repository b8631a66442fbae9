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
OF_BUCKETS = """\
checks:
  - metric: cost          # of days alike: a provider's sums know no single calls
    max_increase: 30%
    min_abs: $1
  - metric: cache_hit_rate
    max_decrease: 10pp
    severity: warn
    min_samples: 14
    min_clusters: 7
"""


def default_rules(*, buckets: bool = False) -> RuleSet:
    """The rules of TEXT, or of a provider's sums."""
    return read(Document("default rules", (OF_BUCKETS if buckets else TEXT).encode()))
