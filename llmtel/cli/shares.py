"""`--share`: how an answer is made fit for others, from options and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    from llmtel.reports.sharing import Sharing


def sharing(share: bool, k: int | None) -> Sharing | None:
    """How the answer is shared; None where it is not. Raises `UsageError` for a number without `--share`."""
    from llmtel.reports.sharing import K, Sharing

    if not share:
        if k is not None:
            raise UsageError(f"--share-k {k}: only with --share")
        return None
    return Sharing(k=K if k is None else k)
