r"""REDACTIONS: what is found in texts and replaced, the longest and most specific first.

What one rule took, no other takes. Patterns are those of https://docs.rs/regex: ASCII word boundaries
(`(?-u:\b)`) and classes, since Unicode ones are fifty times as slow.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from msgspec import Struct

from llmtel.core.catalog import Catalog
from llmtel.core.errors import UsageError
from llmtel.privacy import checks, phones

Check = Callable[[str], tuple[int, int] | None]

EDGE = r"(?-u:\b)"
START = r"^|[^0-9A-Za-z_]"
NUMBER_START = r"^|[^0-9A-Za-z_.\-]"
WORD = r"(?: [A-Za-z][0-9A-Za-z_]*)?"
"""A word after a number, by which checks tell an address."""
SECRET, TOKEN = "SECRET", "TOKEN"
"""Labels of what gives access."""


class Rule(Struct, frozen=True):
    """One kind of thing that is replaced: by its label in brackets.

    `pattern` finds candidates, of which `check`, if there is one, takes what is one; `before` is what may
    stand before a candidate. `anywhere`: sure enough for words, such as names of features, and not only for
    texts that people and models write.
    """

    name: str
    label: str
    help: str
    pattern: str
    before: str = ""
    check: Check | None = None
    anywhere: bool = True

    @property
    def regex(self) -> str:
        """What stands before (group 1), and the candidate (group 2)."""
        return f"({self.before})({self.pattern})"

    @property
    def mark(self) -> str:
        """What stands in place of what was found."""
        return f"[{self.label}]"


def _key(name: str, help_: str, pattern: str) -> Rule:
    """A kind of API key, known by its beginning."""
    return Rule(name, "API_KEY", help_, rf"(?:{pattern})", START)


REDACTIONS: Catalog[Rule] = Catalog(
    "redaction",
    (
        Rule(
            "private_key",
            SECRET,
            "Private keys (PEM), to their end mark or the end of the text",
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
            r"(?s:.)*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)",
        ),
        Rule(
            "jwt",
            TOKEN,
            "JSON Web Tokens",
            r"eyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}(?:\.[0-9A-Za-z_-]*)?",
            START,
        ),
        _key("anthropic_key", "API keys of Anthropic", r"sk-ant-[0-9A-Za-z_-]{16,}"),
        _key("openrouter_key", "API keys of OpenRouter", r"sk-or-[0-9A-Za-z_-]{16,}"),
        _key("langfuse_key", "Keys of Langfuse", r"[ps]k-lf-[0-9a-f-]{16,}"),
        _key("openai_key", "API keys of OpenAI and of those with keys like it", r"sk-[0-9A-Za-z_-]{16,}"),
        _key("aws_key", "Access key ids of AWS", r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?-u:\b)"),
        _key("github_token", "Tokens of GitHub", r"gh[opsur]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,}"),
        _key("gitlab_token", "Tokens of GitLab", r"gl(?:pat|dt|ptt|rt)-[0-9A-Za-z_-]{16,}"),
        _key(
            "google_key",
            "API keys and OAuth tokens of Google",
            r"AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}",
        ),
        _key("slack_token", "Tokens of Slack", r"xox[abeoprs]-[0-9A-Za-z-]{10,}|xapp-[0-9A-Za-z-]{10,}"),
        _key("stripe_key", "Keys of Stripe", r"(?:[rs]k_(?:live|test)|whsec)_[0-9A-Za-z]{16,}"),
        _key("huggingface_token", "Tokens of Hugging Face", r"hf_[0-9A-Za-z]{30,}"),
        _key("npm_token", "Tokens of npm", r"npm_[0-9A-Za-z]{30,}"),
        _key("pypi_token", "Tokens of PyPI", r"pypi-AgE[0-9A-Za-z_-]{20,}"),
        _key("groq_key", "API keys of Groq", r"gsk_[0-9A-Za-z]{30,}"),
        _key("xai_key", "API keys of xAI", r"xai-[0-9A-Za-z]{30,}"),
        _key("perplexity_key", "API keys of Perplexity", r"pplx-[0-9A-Za-z]{30,}"),
        _key("replicate_token", "Tokens of Replicate", r"r8_[0-9A-Za-z]{30,}"),
        _key("sendgrid_key", "API keys of SendGrid", r"SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"),
        _key("databricks_token", "Tokens of Databricks", r"dapi[0-9a-f]{32}(?-u:\b)"),
        Rule(
            "bearer",
            TOKEN,
            "What follows Bearer or Basic in a header",
            r"[0-9A-Za-z._~+/=-]{16,}",
            r"(?i:bearer|basic) +",
        ),
        Rule(
            "url_password",
            SECRET,
            "User and password in a URL",
            r"[^\s/:@\"'<>]+:[^\s/@\"'<>]+@",
            r"[A-Za-z][0-9A-Za-z+.-]{1,12}://",
            checks.credentials,
        ),
        Rule(
            "email",
            "EMAIL",
            "E-mail addresses",
            r"[0-9A-Za-z._%+'\u{80}-\u{10FFFF}-]*[0-9A-Za-z_%+\u{80}-\u{10FFFF}-]@"
            r"(?:[0-9A-Za-z\u{80}-\u{10FFFF}](?:[0-9A-Za-z\u{80}-\u{10FFFF}-]*[0-9A-Za-z\u{80}-\u{10FFFF}])?\.)+"
            r"(?:xn--[0-9A-Za-z-]+|[A-Za-z\u{80}-\u{10FFFF}]{2,63})",
        ),
        Rule(
            "iban",
            "IBAN",
            "Bank accounts (IBAN): length of the country, mod 97",
            r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]{4}){2,7}(?:[ -]?[0-9A-Za-z]{1,3})?(?-u:\b)",
            START,
            checks.iban,
        ),
        Rule(
            "ipv6",
            "IP",
            "IPv6 addresses, also with zone and prefix length",
            r"(?:[0-9A-Fa-f]{1,4}:|::)[0-9A-Za-z:.]*(?:%[0-9A-Za-z._]+)?(?:/[0-9]{1,3})?",
            r"^|[^0-9A-Za-z:.]",
            checks.ip6,
        ),
        Rule(
            "ipv4",
            "IP",
            "IPv4 addresses, also with prefix length",
            r"[0-9]{1,3}(?:\.[0-9]{1,3}){3,}(?-u:\b)(?:/[0-9]{1,3}(?-u:\b))?",
            r"^|[^0-9A-Za-z_.]",
            checks.ip4,
        ),
        Rule(
            "card",
            "CARD",
            "Payment cards: the issuer's first digits, Luhn",
            r"[0-9](?:[ -]?[0-9]){11,21}(?-u:\b)(?:\.[0-9]+)?",
            NUMBER_START,
            checks.card,
        ),
        Rule(
            "us_ssn",
            "SSN",
            "US social security numbers, with their separators",
            r"(?:[0-9]{3}[ -][0-9]{2}[ -]?[0-9]{4}|[0-9]{5}-[0-9]{4}|[0-9]{3}-[0-9]{6})" + EDGE + WORD,
            NUMBER_START,
            checks.ssn,
            anywhere=False,
        ),
        Rule(
            "us_ssn_bare",
            "SSN",
            "The same as nine digits, where the words say so or nothing else is there",
            rf"[0-9]{{9}}{EDGE}",
            r"^|(?i:ssn|social security)[^0-9]{0,20}",
            checks.ssn,
            anywhere=False,
        ),
        Rule(
            "phone",
            "PHONE",
            "Telephone numbers, in the usual ways of writing them",
            rf"[+(]{{0,2}}[0-9][0-9 ()./-]{{5,22}}[0-9]{EDGE}(?i: ?(?:x|ext\.?) ?[0-9]{{1,6}}{EDGE})?{WORD}",
            r"^|[^0-9A-Za-z_.@/:=#$+(-]",
            phones.phone,
            anywhere=False,
        ),
    ),
)
"""Every rule, in the order in which they are applied."""


def refuse_unusable(rule: Rule) -> None:
    """Raise `UsageError` for a rule whose pattern is none, or matches where nothing is."""
    try:
        empty = pl.Series([""]).str.contains(rule.regex)[0]
    except pl.exceptions.PolarsError as error:
        lines = str(error).splitlines()
        why = next((line for line in lines if line.startswith("error: ")), lines[0]).removeprefix("error: ")
        raise UsageError(f"no pattern: {why}") from error
    if empty:
        raise UsageError("the pattern matches where nothing is")
