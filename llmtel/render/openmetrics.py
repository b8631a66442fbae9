"""The numbers of a check as OpenMetrics text, which GitLab compares and Prometheus reads.

https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import math
import re

from llmtel.core.answers import Document, Judgement
from llmtel.render.text import visible

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


def openmetrics(document: Document) -> str:
    """A gauge for each metric, a line for each segment; what is unknown has no line."""
    families: dict[str, dict[str, float]] = {}
    for judged in document.judgements:
        if judged.value is not None and math.isfinite(judged.value):
            name = f"llmtel_{_NOT_IN_NAMES.sub('_', judged.metric)}"
            families.setdefault(name, {})[_labels(judged)] = judged.value
    failed = sum(j.outcome == "fail" for j in document.judgements)
    families["llmtel_checks_failed"] = {"": float(failed)}
    lines = [
        line
        for name, values in families.items()
        for line in (
            f"# TYPE {name} gauge",
            *(f"{name}{labels} {value!r}" for labels, value in values.items()),
        )
    ]
    return "\n".join((*lines, "# EOF")) + "\n"


def _labels(judged: Judgement) -> str:
    """Labels in braces; names that come to the same get a number."""
    found: dict[str, str] = {}
    for name, value in judged.labels.items():
        key = _NOT_IN_NAMES.sub("_", name) or "_"
        key = f"_{key}" if key[0].isdigit() else key
        while key in found:
            key += "_"
        found[key] = value
    inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in found.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return visible(value).replace("\\", "\\\\").replace('"', '\\"')
