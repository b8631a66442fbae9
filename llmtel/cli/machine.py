"""Where coding agents leave their transcripts on this machine. Nothing is opened, only counted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from msgspec import Struct


class Agent(Struct, frozen=True):
    """An agent: its homes (below the user's, or what `variable` names, parted by commas) and what is there.

    `folders` are below a home (or files there: databases), `files` are patterns of the paths below a folder
    that are transcripts: other files there are none of our business.
    """

    name: str
    homes: tuple[str, ...]
    folders: tuple[str, ...]
    files: tuple[str, ...]
    variable: str | None = None


AGENTS = (
    # https://code.claude.com/docs/en/settings
    Agent("claude-code", (".claude", ".config/claude"), ("projects",), ("*.jsonl",), "CLAUDE_CONFIG_DIR"),
    # https://github.com/openai/codex/blob/main/docs/config.md
    Agent("codex", (".codex",), ("sessions", "archived_sessions"), ("*.jsonl", "*.jsonl.zst"), "CODEX_HOME"),
    # https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/session-management.md
    Agent("gemini-cli", (".gemini",), ("tmp",), ("*/chats/*.json", "*/chats/*.jsonl")),
    # https://docs.github.com/en/copilot/concepts/agents/about-copilot-cli
    Agent("copilot-cli", (".copilot",), ("session-state",), ("*.jsonl",), "COPILOT_HOME"),
    # https://qwenlm.github.io/qwen-code-docs/
    Agent("qwen-code", (".qwen",), ("projects",), ("*/chats/*.jsonl",)),
    # https://github.com/badlogic/pi-mono/tree/main/packages/coding-agent
    Agent("pi", (".pi/agent",), ("sessions",), ("*.jsonl",), "PI_CODING_AGENT_DIR"),
    # https://docs.openclaw.ai/concepts/session
    Agent("openclaw", (".openclaw",), ("agents",), ("*/sessions/*.jsonl",)),
    # https://moonshotai.github.io/kimi-cli/en/configuration/data-locations.html
    Agent("kimi", (".kimi", ".kimi-code"), ("sessions",), ("*/wire.jsonl",), "KIMI_SHARE_DIR"),
    # https://docs.factory.ai/cli/configuration/settings
    Agent("droid", (".factory",), ("sessions",), ("*.settings.json",)),
    # https://ampcode.com/manual
    Agent("amp", (".local/share/amp",), ("threads",), ("T-*.json",), "AMP_DATA_DIR"),
    # https://opencode.ai/docs/troubleshooting/#storage
    Agent(
        "opencode", (".local/share/opencode",), ("storage/message", "opencode.db"), ("*.json", "opencode.db")
    ),
    # https://llm.datasette.io/en/stable/logging.html
    Agent("llm", (".config/io.datasette.llm",), ("logs.db",), ("logs.db",), "LLM_USER_PATH"),
)


class AgentFolder(Struct, frozen=True):
    """A folder of an agent's transcripts: which, their bytes, the latest change (seconds since 1970)."""

    agent: str
    path: Path
    transcripts: tuple[str, ...]
    bytes: int
    latest: float

    @property
    def files(self) -> int:
        """How many transcripts there are."""
        return len(self.transcripts)


def agent_folders() -> list[AgentFolder]:
    """The folders with at least one transcript, in the order of their agents."""
    found = (_looked_at(agent, path) for agent, path in _places())
    return [folder for folder in found if folder.files]


def _places() -> Iterator[tuple[Agent, Path]]:
    """The folders that are there, each once."""
    seen = set()
    for agent in AGENTS:
        named = os.environ.get(agent.variable) if agent.variable else None
        roots = named.split(",") if named else [str(Path.home() / home) for home in agent.homes]
        for path in (Path(root) / folder for root in roots for folder in agent.folders):
            there = os.path.exists(path)  # noqa: PTH110 (a closed home has none; pathlib would raise)
            if there and (real := path.resolve()) not in seen:
                seen.add(real)
                yield agent, path


def _looked_at(agent: Agent, path: Path) -> AgentFolder:
    found, size, latest = [], 0, 0.0
    top, walk = (path, os.walk(path)) if path.is_dir() else (path.parent, [(path.parent, (), (path.name,))])
    for folder, _, names in walk:
        for name in names:
            file = os.path.join(folder, name)  # noqa: PTH118 (thousands of files: plain calls are quicker)
            below = file[len(str(top)) + 1 :]
            if not any(fnmatch(below, pattern) for pattern in agent.files):
                continue
            try:
                status = os.stat(file)  # noqa: PTH116 (as above)
            except OSError:
                continue
            found.append(file)
            size += status.st_size
            latest = max(latest, status.st_mtime)
    return AgentFolder(agent.name, path, tuple(sorted(found)), size, latest)
