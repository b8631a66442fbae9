"""`--share`: how an answer is made fit for others, from options and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    from llmtel.cli.settings import Settings
    from llmtel.reports.sharing import Sharing


def sharing(share: bool, k: int | None, settings: Settings) -> Sharing | None:
    """How the answer is shared; None where it is not. Raises `UsageError` for a number without `--share`."""
    if not share:
        if k is not None:
            raise UsageError(f"--share-k {k}: only with --share")
        return None
    from llmtel.privacy.pseudonyms import Pseudonyms
    from llmtel.privacy.settings import Privacy
    from llmtel.reports.sharing import K, Sharing

    asked = settings.config.privacy if settings.config else Privacy()
    own = None if asked.key is None else Pseudonyms(asked.key.key())
    return Sharing(
        pseudonyms=own or Pseudonyms.random(), k=k or asked.k or K, named=asked.share, own_key=own is not None
    )
