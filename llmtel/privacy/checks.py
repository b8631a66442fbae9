"""Checks of candidates: which part of what a pattern found is what it looks like.

A check gets one candidate and returns where the thing lies in it, (start, end), or None.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping

Span = tuple[int, int]

_CARD_LENGTHS = (
    (r"4", (13, 16, 19)),
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),
    (r"3[47]", (15,)),
    (r"6011|64[4-9]|65|622", (16, 17, 18, 19)),
    (r"30[0-59]|36|3[89]", (14, 15, 16, 17, 18, 19)),
    (r"35", (16, 17, 18, 19)),
    (r"2131|1800", (15,)),
    (r"62|81", (16, 17, 18, 19)),
    (r"50|5[6-8]|6", (12, 13, 14, 15, 16, 17, 18, 19)),
)
"""Beginnings of card numbers and how long they are: ISO/IEC 7812 and the schemes' own ranges."""
_ISSUERS = tuple((re.compile(pattern), lengths) for pattern, lengths in _CARD_LENGTHS)

_IBAN_LENGTHS: Mapping[str, int] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Characters of an IBAN by country: the IBAN registry (ISO 13616)."""
_GROUP = 4
_OCTETS, _OCTET = 4, 255
_NEVER_ISSUED = ("000", "666")


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * int(d), 10)) for d in digits[-2::-2]]
    return (sum(doubled) + sum(int(d) for d in digits[-1::-2])) % 10 == 0


def card(found: str) -> Span | None:
    """A payment card: the digits of an issuer, as many as it gives, with the right check digit.

    What follows a card without a letter between (an expiry date, a security code) is no part of it.
    """
    if "." in found:
        return None
    ends = [m.end() for m in re.finditer(r"\d+", found)]
    for end in reversed(ends):
        digits = re.sub(r"\D", "", found[:end])
        fits = any(i.match(digits) and len(digits) in lengths for i, lengths in _ISSUERS)
        if fits and luhn(digits) and len(set(digits)) > 1:
            return 0, end
    return None


def iban(found: str) -> Span | None:
    """An IBAN: as long as its country's are, in groups of four or none, with the right remainder mod 97."""
    length = _IBAN_LENGTHS.get(found[:2].upper())
    if length is None:
        return None
    end = _end_of(found, length)
    if end is None or found[end : end + 1].isalnum():
        return None
    groups = re.split("[ -]", found[:end])
    if len(groups) > 1 and any(len(group) != _GROUP for group in groups[:-1]):
        return None
    plain = "".join(groups).upper()
    number = "".join(str(int(c, 36)) for c in plain[4:] + plain[:4])
    return (0, end) if int(number) % 97 == 1 else None


def _end_of(text: str, count: int) -> int | None:
    """Where the first `count` letters and digits end."""
    ends = [i + 1 for i, c in enumerate(text) if c.isalnum()]
    return ends[count - 1] if len(ends) >= count else None


def ssn(found: str) -> Span | None:
    """A US social security number: area, group and serial of the ranges that are issued (SSA, 2011)."""
    number = re.sub(r" [A-Za-z]\w*$", "", found)
    if " " in number and found[len(number) + 1 :][:1].isupper():  # 680 36 4022 Oakridge Lane
        return None
    digits = re.sub(r"\D", "", number)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    issued = area not in _NEVER_ISSUED and area[0] != "9" and group != "00" and serial != "0000"
    return (0, len(number)) if issued else None


def credentials(found: str) -> Span | None:
    """User and password before the @ of a URL."""
    return 0, len(found) - 1


def ip4(found: str) -> Span | None:
    """An IPv4 address, with or without a prefix length: four numbers up to 255."""
    octets = re.split(r"[./]", found)[:_OCTETS]
    fine = all(int(o) <= _OCTET and (o == "0" or o[0] != "0") for o in octets)
    return (0, len(found)) if fine else None


def ip6(found: str) -> Span | None:
    """An IPv6 address, with or without zone and prefix length."""
    for text in _shorter(found):
        address = re.sub(r"(?:%[\w.]+)?(?:/\d+)?$", "", text)
        try:
            ipaddress.IPv6Address(address)
        except ValueError:
            continue
        return 0, len(text)
    return None


def _shorter(text: str) -> Iterator[str]:
    """The text, and without the punctuation at its end."""
    yield text
    bare = text.rstrip(".:")
    if bare != text:
        yield bare
