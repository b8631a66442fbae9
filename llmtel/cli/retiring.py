"""Days of a store that the configuration keeps no longer, and the prices that freeze in their rollups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmtel.cli.settings import Settings
    from llmtel.store.folder import Where
    from llmtel.store.retention import Expired
    from llmtel.store.rollups import Prices


def first_kept(settings: Settings) -> date | None:
    """The first UTC day that `privacy: retention:` keeps; None where it says nothing."""
    days = settings.config.privacy.retention if settings.config else None
    return None if days is None else (datetime.now(UTC) - timedelta(days=days)).date()


def prices(settings: Settings, files: Sequence[Path] = ()) -> Prices:
    """The prices of the configuration and of further price files."""
    from llmtel.pricing import book as books
    from llmtel.pricing import cost
    from llmtel.store.rollups import Prices

    book = books.load((*settings.pricing, *files))
    return Prices(lambda calls: cost.priced(calls, book), book.sha256)


def retire(folder: Where, settings: Settings) -> Expired | None:
    """Let the days of a store expire that the configuration keeps no longer; None where there are none."""
    from llmtel.store.retention import expire, has_before

    first = first_kept(settings)
    if first is None or not has_before(folder, first):
        return None
    return expire(folder, first, prices(settings))
