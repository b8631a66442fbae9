"""Telephone numbers: by the ways of writing them, as no check digit tells."""

from __future__ import annotations

import re

_FEWEST, _MOST = 7, 15
"""Digits of a number: the shortest local ones, and the longest of ITU-T E.164."""
_EXTENSION = re.compile(r"\s?(?:x|ext\.?|#)\s?\d{1,6}$", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])(?:\D.*)?"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|[12]\d|3[01])[-/. ](?:19|20)\d\d"
    r"|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d"
)
_WAYS = re.compile(
    r"\+\d{1,3}[ ./-]?(?:\(\d{1,4}\)[ ./-]?)?\d(?:[ ./-]?\d)+"  # +44 (20) 7123 4567
    r"|00[1-9](?:[ ./()-]{0,2}\d)+"  # 001-518-640-0854
    r"|(?:\d{1,3}[ .-])?\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}"  # 415-555-0132, (415) 555-0132
    r"|\(\d{2,5}\) ?\d{3,5}(?:[ -]?\d{3,4})?"  # (99) 645-791
    r"|0\d{1,4}[ /-]\d{5,8}"  # 06-10446904
    r"|0\d{1,4}(?:[ ./-]\d{2,4}){2,4}"  # 079 2718 1155, 01.84.17.61.18
    r"|\d{2}(?:-\d\d){3}|\d\d(?: \d\d){3}"  # 60-56-85-91
    r"|\d{2,3} \d{3} \d{3}(?: \d{2,4})?"  # 72 128 827
    r"|\d{2} \d{6}|\d{3} \d\d \d{3}"  # 99 668472, 432 03 163
    r"|\d{2} \d{3} \d{2} \d{2}|\d{2} \d{3} \d{3} \d{4}"  # 69 987 88 37
)

_ALSO_HOUSES = re.compile(r"\d{3,4} \d{4}")
"""467 3395, 9472 7916: two numbers of a house and a street where a name follows."""
_FOLLOWED = re.compile(r" [A-Za-z]\w*$")
_AFTER_A_CODE = re.compile(r"\d{3,5} (?=[0(+])")
"""A postal code before a number."""


def phone(found: str) -> tuple[int, int] | None:
    """A telephone number: written in one of the usual ways, with as many digits as one has, and no date."""
    start = code.end() if (code := _AFTER_A_CODE.match(found)) else 0
    bare = _FOLLOWED.sub("", found[start:])
    number = _EXTENSION.sub("", bare)
    digits = sum(c.isdigit() for c in number)
    if not _FEWEST <= digits <= _MOST or _DATE.fullmatch(number):
        return None
    followed = len(bare) < len(found) - start
    fits = _WAYS.fullmatch(number) or (not followed and _ALSO_HOUSES.fullmatch(number))
    return (start, start + len(bare)) if fits else None
