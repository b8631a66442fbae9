"""A store that keeps people otherwise from now on: under another key, or as pseudonyms instead of by name."""

from __future__ import annotations

from llmtel.privacy.pseudonyms import Pseudonyms
from llmtel.store.audit import audit
from llmtel.store.folder import Where, at
from llmtel.store.location import private
from llmtel.store.policy import Kept, Policy
from llmtel.store.rewrite import Rewritten, rewrite, swept
from llmtel.store.table import opened


def rotate(place: Where, pseudonyms: Pseudonyms) -> None:
    """Make another key the one of the pseudonyms to come; those that are stored stay."""
    _set(place, f"users under the key {pseudonyms.key_id} from now on", None, pseudonyms.key_id)


def convert(place: Where, policy: Policy) -> Rewritten:
    """Keep users as a policy says, also those that are stored; earlier versions of the store go.

    New calls are kept so first: when it is interrupted, it is run again.
    """
    what = f"users: {policy.users}"
    _set(place, f"{what} from now on", policy, policy.pseudonyms.key_id if policy.pseudonyms else None)
    done = rewrite(place, lambda table: table.files, policy.converted, what=what)
    swept(place, 0)
    return done


def _set(place: Where, what: str, policy: Policy | None, key_id: str | None) -> None:
    """Have the table say how users are kept, after `what` is noted in the audit."""
    with private(), at(place).lock():
        table = opened(place)
        audit(place, what, 0, table.version)
        kept = Kept.of(table)
        now = kept.under(policy.users if policy else kept.users, key_id)
        table.delta.alter.set_table_properties(now.properties, raise_if_not_exists=False)
