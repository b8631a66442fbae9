"""The swap: work that ends in a commit, from its beginning again where somebody else was first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from llmtel.store.table import Refused

T = TypeVar("T")
_TRIES = 100


def accepted(work: Callable[[], T]) -> T:
    """What `work` gives once none of its commits is refused: it begins anew where others were first."""
    for _ in range(_TRIES):
        try:
            return work()
        except Refused:
            time.sleep(random.uniform(0, 0.05))  # noqa: S311 (so that the same two do not meet again)
    raise Refused
