"""`privacy:` of a configuration: what a store keeps of people, for how long, and what redacting looks for."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from llmtel.core.errors import UsageError
from llmtel.document import Place
from llmtel.privacy import rules as redactions
from llmtel.privacy.keys import KeySource, source_in
from llmtel.privacy.rules import Rule
from llmtel.privacy.users import USERS, Users

_KEYS = ("users", "old_keys", "tags", "retention", "redact", "k", "share")
SHARED = ("feature", "project", "branch", "api_key")
"""Fields that are in what is shared only where the configuration names them: they say what is worked on."""
_SPAN = re.compile(r"([1-9][0-9]{0,4})([dw])", re.ASCII)
_DAYS = {"d": 1, "w": 7}


class Privacy(Struct, frozen=True):
    """What the section says; None where it says nothing.

    `key` is where the key of pseudonyms is, `old_keys` where earlier ones are. Of extra keys only `tags` may
    be stored. `retention` are the days that calls are kept. `redact` are rules beside the built-in ones.
    In what is shared a number rests on `k` people at least, and the fields `share` of `SHARED` may be in it.
    """

    users: Users | None = None
    key: KeySource | None = None
    old_keys: tuple[KeySource, ...] = ()
    tags: frozenset[str] | None = None
    retention: int | None = None
    redact: tuple[Rule, ...] = ()
    k: int | None = None
    share: frozenset[str] = frozenset()


def parse(place: Place, folder: Path) -> Privacy:
    """The section at a place; paths are relative to `folder`. Raises `ConfigError` with file and line."""
    key, keys = source_in(place, folder, _KEYS)
    seen = set(redactions.REDACTIONS)
    return Privacy(
        users=_users(keys["users"]) if "users" in keys else None,
        key=key,
        old_keys=tuple(_old_key(one, folder) for one in keys["old_keys"].one_or_more())
        if "old_keys" in keys
        else (),
        tags=frozenset(one.text() for one in keys["tags"].one_or_more()) if "tags" in keys else None,
        retention=_days(keys["retention"]) if "retention" in keys else None,
        redact=tuple(_redaction(one, seen) for one in keys["redact"].entries()) if "redact" in keys else (),
        k=keys["k"].whole() if "k" in keys else None,
        share=frozenset(one.choice(SHARED) for one in keys["share"].one_or_more())
        if "share" in keys
        else frozenset(),
    )


def _users(place: Place) -> Users:
    return USERS[USERS.index(place.choice(USERS))]


def _old_key(place: Place, folder: Path) -> KeySource:
    source, _ = source_in(place, folder)
    if source is None:
        place.fail("says where a key is, such as {key_file: old.key}")
    return source


def _days(place: Place) -> int:
    """Days or weeks, `90d` or `12w`, as days."""
    found = _SPAN.fullmatch(place.value) if isinstance(place.value, str) else None
    if found is None:
        place.fail("is days or weeks, e.g. 90d or 12w")
    return int(found[1]) * _DAYS[found[2]]


def _redaction(place: Place, seen: set[str]) -> Rule:
    keys = place.items(("name", "pattern", "label", "help", "texts_only"))
    for key in ("name", "pattern"):
        if key not in keys:
            place.fail(f"needs a {key}, e.g. {{name: employee, pattern: 'E[0-9]{{6}}'}}")
    name, pattern = keys["name"].unique(seen, "among the redactions"), keys["pattern"].text()
    label = keys["label"].text() if "label" in keys else name.upper()
    help_ = keys["help"].text() if "help" in keys else f"What {name} of the configuration says"
    sure = not (keys["texts_only"].flag() if "texts_only" in keys else False)
    rule = Rule(name, label, help_, f"(?:{pattern})", anywhere=sure)
    try:
        redactions.refuse_unusable(rule)
    except UsageError as error:
        keys["pattern"].fail(str(error))
    return rule
