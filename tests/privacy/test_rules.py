"""What the rules find in labelled texts, and what they leave alone (../shared/fixtures/pii)."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from llmtel.privacy import checks
from llmtel.privacy.redact import redacted
from llmtel.privacy.rules import REDACTIONS

ROOT = Path(__file__).parents[2]
PII = ROOT.parent / "shared/fixtures/pii"
LABELS = {
    "EMAIL_ADDRESS": "EMAIL",
    "US_SSN": "SSN",
    "IP_ADDRESS": "IP",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "PHONE_NUMBER": "PHONE",
}
RECALL = {"EMAIL": 1.0, "SSN": 1.0, "IP": 1.0, "CARD": 0.95, "IBAN": 0.95, "PHONE": 0.80}
PRECISION = 0.97
ODD_CASES = {
    "My US number is (415) 555-0132, and my international one is415-555-0132",  # a number in a word
    "My US number is (415) 555-0132, and my international one is 91-415-555-0132",  # listed with 1 and with 2
}
needs_texts = pytest.mark.skipif(not PII.is_dir(), reason="the shared data is not here")


def clean(*texts):
    new, found = redacted(pl.Series(texts, dtype=pl.String), tuple(REDACTIONS.values()))
    return new.to_list(), found


def scores():
    """For each label: things labelled, found among them, and found beside them."""
    wanted, hit, beside = Counter(), Counter(), Counter()
    for path in sorted(PII.glob("presidio_research_*.json")):
        cases = json.loads(path.read_text())
        new, _ = clean(*(case["full_text"] for case in cases))
        for case, text in zip(cases, new, strict=True):
            for label in RECALL:
                spans = [s for s in case["spans"] if LABELS.get(s["entity_type"]) == label]
                gone = sum(span["entity_value"] not in text for span in spans)
                marks = text.count(f"[{label}]")
                wanted[label] += len(spans)
                hit[label] += min(gone, marks)
                beside[label] += max(0, marks - gone)
    return wanted, hit, beside


@needs_texts
@pytest.mark.parametrize("label", RECALL)
def test_what_is_labelled_is_found_and_little_beside_it(label, record_property):
    wanted, hit, beside = scores()
    recall, precision = hit[label] / wanted[label], hit[label] / (hit[label] + beside[label])
    record_property("recall", recall)
    record_property("precision", precision)
    assert wanted[label] > 15
    assert (recall >= RECALL[label], precision >= PRECISION) == (True, True), (recall, precision)


@needs_texts
def test_the_cases_of_recognisers_are_found_and_their_near_misses_are_not():
    every = json.loads((PII / "presidio_recognizer_cases.json").read_text())
    cases = [case for case in every if case["entity"] in LABELS and case["text"] not in ODD_CASES]
    texts, _ = clean(*(case["text"] for case in cases))
    wrong = [
        (case["text"], text)
        for case, text in zip(cases, texts, strict=True)
        if text.count(f"[{LABELS[case['entity']]}]") != case["expected_len"]
    ]
    assert len(cases) > 100
    assert wrong == []


def strings(value):
    """Every key and text of a record; numbers as they are written."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif value is not None:
        yield str(value)


def sample_lines():
    for path in sorted((ROOT / "sample_logs").rglob("*.jsonl*")):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in data.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue
    with (ROOT / "sample_logs/report-writer.csv").open() as file:
        yield from csv.DictReader(file)


def test_nothing_is_found_among_the_names_times_ids_and_numbers_of_the_sample_logs():
    found = sorted({text for record in sample_lines() for text in strings(record)})
    new, counts = clean(*found)
    assert counts == {}
    assert new == found
    assert len(found) > 10_000


SECRETS = {
    "anthropic_key": "sk-ant-api03-" + "aB3_" * 8,
    "openai_key": "sk-proj-" + "aB3x" * 8,
    "openrouter_key": "sk-or-v1-" + "0f" * 32,
    "aws_key": "AKIA" + "IOSFODNN7EXAMPLE",
    "github_token": "ghp_" + "a1B2" * 9,
    "gitlab_token": "glpat-" + "a1B2" * 5,
    "google_key": "AIza" + "aB3_x" * 7,
    "slack_token": "xoxb-" + "1234567890-abcdef",
    "stripe_key": "sk_live_" + "a1B2" * 6,
    "huggingface_token": "hf_" + "aBcD" * 9,
    "npm_token": "npm_" + "a1B2" * 9,
    "pypi_token": "pypi-AgE" + "a1B2" * 6,
    "groq_key": "gsk_" + "a1B2" * 13,
    "xai_key": "xai-" + "a1B2" * 20,
    "perplexity_key": "pplx-" + "a1B2" * 12,
    "replicate_token": "r8_" + "a1B2" * 10,
    "sendgrid_key": "SG." + "a1B2" * 5 + "." + "a1B2" * 10,
    "databricks_token": "dapi" + "0f" * 16,
    "langfuse_key": "sk-lf-" + "0f" * 16,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_key_is_found_by_its_beginning_and_goes_whole(name):
    (text,), found = clean(f"use {SECRETS[name]}, please")
    assert found == {name: 1}
    assert text == f"use {REDACTIONS[name].mark}, please"


def test_a_private_key_goes_to_its_end_or_to_that_of_the_text():
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"
    whole, cut = clean(f"a {key}-----END RSA PRIVATE KEY----- b", f"a {key}")[0]
    assert (whole, cut) == ("a [SECRET] b", "a [SECRET]")


def test_what_stands_around_stays_and_several_are_found():
    (text,), found = clean("Ann <a.b@x.org>, b@y.de: 4111 1111 1111 1111 12/29, http://u:p4ss@host/x")
    assert text == "Ann <[EMAIL]>, [EMAIL]: [CARD] 12/29, http://[SECRET]@host/x"
    assert found == {"email": 2, "card": 1, "url_password": 1}


@pytest.mark.parametrize(
    "text",
    [
        "gpt-4o-2024-05-13", "claude-sonnet-4-5-20250929", "2026-09-01 10:00:00", "1790000000123",
        "550e8400-e29b-41d4-a716-446655440000", "1790000000123456789", "std::vector", "v1.2.3", "12:30:45",
        "3.141592653589793", "0.1234567812345670", "$1,234.56", "pages 100-200", "2024-2025", "a@b",
    ],
)  # fmt: skip
def test_names_times_and_numbers_are_left_alone(text):
    assert clean(text) == ([text], {})


def test_the_check_digits_of_the_standards():
    assert checks.luhn("79927398713")  # the example of the patent's descriptions
    assert not checks.luhn("79927398710")
    assert checks.iban("GB82 WEST 1234 5698 7654 32") == (0, 27)
    assert checks.iban("GB82 WEST 1234 5698 7654 33") is None


def test_private_use_characters_of_a_text_do_not_fool_the_rules():
    (text,), _ = clean("\ue0004111111111111111\ue001")
    assert "4111" not in text
