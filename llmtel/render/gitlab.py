"""The verdicts of a check as GitLab's code quality report, a JSON array of issues.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import hashlib

from llmtel.core.answers import Document, Judgement
from llmtel.render.github import in_a_line
from llmtel.render.json import dumped
from llmtel.render.text import visible

NO_FILE = "llmtel.yaml"
"""Where rules stand that were written on the command line, or nowhere."""
_SEVERITIES = {"fail": "major", "warn": "minor"}


def gitlab(document: Document) -> str:
    """An issue for each failure and warning. Its fingerprint has no values, so that it stays the same."""
    issues = [_issue(j) for j in document.judgements if j.outcome in _SEVERITIES]
    unique = {str(issue["fingerprint"]): issue for issue in reversed(issues)}
    lines = ",\n".join(dumped(issue) for issue in reversed(list(unique.values())))
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def _issue(judged: Judgement) -> dict[str, object]:
    key = f"{judged.check}\0{judged.name}\0{judged.outcome}"
    return {
        "description": visible(in_a_line(judged)),
        "check_name": visible(judged.check),
        "fingerprint": hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": _SEVERITIES[judged.outcome],
        "location": {"path": judged.file or NO_FILE, "lines": {"begin": judged.line or 1}},
    }
