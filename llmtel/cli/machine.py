"""Where coding agents leave their transcripts on this machine. Nothing is opened, only counted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AgentFolder:
    """A folder of an agent's transcripts: how many, their bytes, the latest change (seconds since 1970)."""

    agent: str
    path: Path
    files: int
    bytes: int
    latest: float


def agent_folders() -> list[AgentFolder]:
    """The folders with at least one transcript, in the order of their agents."""
    found = (_looked_at(agent, path) for agent, path in _places())
    return [folder for folder in found if folder.files]


def _places() -> Iterator[tuple[str, Path]]:
    """The places that the agents document: their environment variables first, then their defaults."""
    home = Path.home()
    # https://docs.anthropic.com/en/docs/claude-code/settings (several folders, separated by commas)
    claude = os.environ.get("CLAUDE_CONFIG_DIR")
    roots = (
        [Path(root) for root in claude.split(",")]
        if claude
        else [home / ".claude", home / ".config" / "claude"]
    )
    # https://github.com/openai/codex/blob/main/docs/config.md
    codex = Path(os.environ.get("CODEX_HOME") or home / ".codex")
    places = [
        *(("claude-code", root / "projects") for root in roots),
        ("codex", codex / "sessions"),
        ("codex", codex / "archived_sessions"),
    ]
    seen = set()
    for agent, path in places:
        if path.is_dir() and (real := path.resolve()) not in seen:
            seen.add(real)
            yield agent, path


def _looked_at(agent: str, path: Path) -> AgentFolder:
    sizes, times = [0], [0.0]
    for folder, _, names in os.walk(path):
        for name in names:
            if name.endswith((".jsonl", ".jsonl.zst")):
                try:
                    status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 (thousands of files: plain calls are quicker)
                except OSError:
                    continue
                sizes.append(status.st_size)
                times.append(status.st_mtime)
    return AgentFolder(agent, path, len(sizes) - 1, sum(sizes), max(times))
