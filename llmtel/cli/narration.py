"""What is said beside the answer, on stderr: messages, and a bar while a long reading runs."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Self

BAR = 24
PATIENCE_S = 1.0
REDRAW_S = 0.1
WIPE = "\r\x1b[K"
PARTS = " ▏▎▍▌▋▊▉"


def narrate(text: str) -> None:
    """One message on stderr, with control characters made visible; its further lines are indented."""
    from llmtel.render.github import inert
    from llmtel.render.text import visible

    lines = "\n  ".join(map(visible, text.split("\n")))
    lines = inert(lines) if os.environ.get("GITHUB_ACTIONS") else lines
    print("llmtel:", lines, file=sys.stderr)  # noqa: T201 (narration is what this module is for)


def wipe() -> None:
    """Clear the line of a terminal on which a bar stands, or the echo of a key."""
    if sys.stderr.isatty():
        sys.stderr.write(WIPE)
        sys.stderr.flush()


def stand(text: str) -> None:
    """A line that stands on a terminal until the next one, or until it is wiped; elsewhere nothing."""
    if sys.stderr.isatty():
        sys.stderr.write(WIPE + text)
        sys.stderr.flush()


class Progress:
    """A bar of bytes read, drawn on a terminal once reading takes longer than a second, wiped at its end.

    It is called with the bytes done and the bytes in all (0: not known).
    """

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            wipe()

    def __call__(self, done: int, total: int) -> None:
        """Draw the bar when it is due."""
        now = time.monotonic()
        if now - self._start < PATIENCE_S or now - self._drawn < REDRAW_S or not sys.stderr.isatty():
            return
        self._drawn = now
        sys.stderr.write(WIPE + bar(done, total, now - self._start))
        sys.stderr.flush()


def bar(done: int, total: int, seconds: float) -> str:
    """The bar: "  45 % ██████▌    151 MB of 335 MB · 310 MB/s · 1 s left"."""
    rate = done / seconds if seconds else 0.0
    speed = f"{rate / 1e6:,.0f} MB/s"
    if not total:
        return f"  {done / 1e6:,.0f} MB · {speed}"
    share = min(done / total, 1.0)
    eighths = round(share * BAR * 8)
    drawn = ("█" * (eighths // 8) + PARTS[eighths % 8].strip()).ljust(BAR)
    left = f" · {(total - done) / rate:,.0f} s left" if rate else ""
    return f"  {share * 100:3.0f} % {drawn} {done / 1e6:,.0f} MB of {total / 1e6:,.0f} MB · {speed}{left}"
