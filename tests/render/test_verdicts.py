"""The verdicts of a check in every output: shown, inert whatever names logs have, and within the limits."""

import html
import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel.core.answers import Cause, Document, Judgement, Judgements, Line, Moved
from llmtel.core.units import USD
from llmtel.render import VERDICTS, verdicts
from llmtel.render.comment import BUDGET, comment
from llmtel.render.github import MOST, inert, inert_json
from llmtel.render.text import visible

HOSTILE = (
    "::error::pwned", "##[group]x", "| <script>alert(1)</script> |", "[bold]x[/bold]", "\x1b[31mred\x1b[0m",
    "=cmd()|' /C calc'!A0", "`tick` ``two``", "</details>", "a\u202eb\u2066", "nul\0nul", 'quote" \\ back',
    "line\nbreak\r::set-output name=x::y", "@everyone #1 https://example.org", "]]>", "100%\u2028", "",
)  # fmt: skip
FORMATS = ("table", *VERDICTS)
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))


def judgement(name="chat", outcome="fail", value=0.0115, check="cost-per-call", **fields):
    segment = f"feature={name}"
    return Judgement(
        check=check, name=f"cost_per_call{{{segment}}}", metric="cost per call", segment=segment,
        state={"fail": "fail", "warn": "inconclusive", "info": "new", "pass": "pass"}[outcome],
        outcome=outcome, reason=f"because of {name}", before="$0.0100", now=USD.show(value), change="+15.0 %",
        interval="+6.0 … +25 %", limit="+10 %", about="300 → 300 calls", value=value, unit=USD,
        labels={"feature": name}, file="llmtel.yaml", line=14, data={"id": check, "current": value}, **fields,
    )  # fmt: skip


def document(*judged, tag="default"):
    outcome = judged[0].outcome if judged else "pass"
    headline = f"1 of {len(judged)} checks"
    return Document(
        schema="llmtel.check/1",
        title=headline,
        blocks=(
            Judgements("FAIL", outcome, headline, judged),
            Line("1 comparison"),
            Line("do it", "accept it"),
        ),
        meta={"tag": tag, "results": [j.data for j in judged]},
        judgements=judged,
        closing="1 comparison",
    )


def full(name):
    """A failure with a name from a log everywhere where one may stand."""
    return judgement(
        name,
        causes=(Cause(f"moved {name}", "+$1", 0.9, name),),
        who=f"user={name}", since=f"prompt {name}", lever="look", command=f"llmtel compare {name}",
        message=name, cases=(Moved(name, "$1", "$2", "+100 %", 1.0, 2.0),), basis="a month", month="+$1",
    )  # fmt: skip


def rendered(doc, fmt):
    return verdicts(doc, fmt, width=100, color=False)


def without_code(text):
    """Markdown without its code spans, in which everything is only text."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_reaches_no_output_as_it_is(fmt, name):
    text = rendered(document(full(name), judgement(name, "warn"), judgement(name, "info")), fmt)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", text)
    if fmt in ("markdown", "junit"):
        assert "<script" not in without_code(text)
    printed = text if fmt == "github" else inert_json(text) if fmt in ("json", "gitlab") else inert(text)
    commands = [line for line in printed.splitlines() if line.lstrip().startswith("::")]
    assert all(re.match(r"::(error|warning|notice) ", line) for line in commands)
    assert fmt == "github" or not commands
    assert "##[" not in printed


@given(NAMES)
def test_annotations_are_one_line_each_and_ours_alone(name):
    lines = rendered(document(full(name), judgement(name, "warn")), "github").splitlines()
    assert len(lines) == 2
    for line, kind in zip(lines, ("error", "warning"), strict=True):
        assert re.fullmatch(rf"::{kind} file=llmtel.yaml,line=14,title=cost-per-call::[^\r\n]+", line)


@given(NAMES)
def test_junit_is_xml_that_says_the_name(name):
    root = ET.fromstring(rendered(document(full(name), judgement(name, "info")), "junit"))  # noqa: S314 (our own)
    assert (root.get("failures"), root.get("skipped")) == ("1", "1")
    cases = root.findall(".//testcase")
    assert [case.get("name") for case in cases] == [
        f"feature={visible(name)}", f"feature={visible(name)} (2)"
    ]  # fmt: skip
    assert cases[0].find("failure").get("type") == "fail"
    assert cases[1].find("skipped") is not None


@given(NAMES)
def test_openmetrics_is_a_line_for_each_segment(name):
    text = rendered(document(full(name), judgement("other")), "openmetrics")
    *lines, end = text.splitlines()
    assert end == "# EOF"
    label = r'\{feature="(?:[^"\\\n]|\\["\\n])*"\}'
    values = [line for line in lines if not line.startswith("#")]
    assert re.fullmatch(rf"llmtel_cost_per_call{label} 0\.0115", values[0])
    assert "llmtel_checks_failed 2.0" in values


@given(NAMES)
def test_markdown_tables_keep_their_columns(name):
    text = rendered(document(full(name), judgement(name, "warn"), judgement(name, "pass")), "markdown")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    counts = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert counts == {9, 5}
    plain = without_code(text)
    assert plain.count("<details>") == plain.count("</details>") == 2
    assert text.splitlines()[0] == "<!-- llmtel:check:default -->"


def shown(fmt, text):
    """What a person or a program reads in an output, without blanks, which lines may break at."""
    if fmt == "markdown":
        text = re.sub(r"\\(?=[^\w\s])", "", html.unescape(text.replace("<!-- -->", "")))
    elif fmt == "gitlab":
        text = " ".join(issue["description"] for issue in json.loads(text))
    elif fmt == "junit":
        root = ET.fromstring(text)  # noqa: S314 (our own)
        text = " ".join(value for node in root.iter() for value in node.attrib.values())
    elif fmt == "github":
        text = text.replace("%25", "%").replace("# #[", "##[")
    elif fmt == "openmetrics":
        text = re.sub(r'\\(["\\])', r"\1", text)
    return re.sub(r"[\s\\]", "", text)


@pytest.mark.parametrize("fmt", [fmt for fmt in FORMATS if fmt != "json"])
@pytest.mark.parametrize("name", [name for name in HOSTILE if name])
def test_a_hostile_name_is_shown(fmt, name):
    wanted = re.sub(r"[\s\\]", "", visible(name))
    assert wanted in shown(fmt, verdicts(document(judgement(name)), fmt, width=300, color=False))


def test_a_fingerprint_has_no_values_and_is_there_once():
    one, again = (json.loads(rendered(document(judgement(value=v)), "gitlab")) for v in (1.0, 2.0))
    assert one[0]["fingerprint"] == again[0]["fingerprint"]
    both = json.loads(rendered(document(judgement(), judgement(), judgement("rag")), "gitlab"))
    assert len(both) == 2
    assert both[0]["location"] == {"path": "llmtel.yaml", "lines": {"begin": 14}}


def test_at_most_ten_annotations_and_the_last_says_how_many_more():
    judged = [judgement(f"f{i}") for i in range(32)]
    lines = rendered(document(*judged), "github").splitlines()
    assert len(lines) == MOST
    assert lines[-1] == "::notice title=llmtel::… and 23 more: see the summary"


@pytest.mark.parametrize("size", [1, 100, 1000, 5000])
def test_a_comment_fits_and_says_what_was_left_out(size):
    failed = [full(f"{i:05d}" + "x" * 60) for i in range(size)]
    passed = [judgement(f"{i:05d}", "pass") for i in range(size)]
    text = comment(document(*failed, *passed))
    assert len(text) <= BUDGET
    assert text.startswith("<!-- llmtel:check:default -->\n### ❌ ")
    assert ("left out to fit" in text) == (size > 100)
    assert text.count("<details>") == text.count("</details>")
    assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))


def test_a_summary_has_its_own_budget_and_none_is_better_than_a_cut_one():
    doc = document(*(full(f"{i:05d}") for i in range(3000)))
    assert BUDGET < len(comment(doc, 900 * 1024).encode()) <= 900 * 1024
    assert comment(doc, 10) == ""


def test_the_tag_of_the_marker_cannot_close_the_comment():
    assert comment(document(judgement(), tag="a --> b")).startswith("<!-- llmtel:check:a-b -->\n")


def test_when_all_pass_the_comment_is_one_line():
    assert comment(document(judgement(outcome="pass"))) == (
        "<!-- llmtel:check:default -->\n### ✅ 1 of 1 checks\n"
    )
