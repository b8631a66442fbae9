"""The folders of this machine's agents: found where each keeps them, and nothing else is looked at."""

from pathlib import Path

import pytest

from llmtel.cli.machine import AGENTS, agent_folders

TRANSCRIPTS = {
    "claude-code": ".claude/projects/shop/s1.jsonl",
    "codex": ".codex/sessions/2026/09/01/rollout-1.jsonl.zst",
    "gemini-cli": ".gemini/tmp/f00/chats/session-1.json",
    "copilot-cli": ".copilot/session-state/s1/events.jsonl",
    "qwen-code": ".qwen/projects/shop/chats/s1.jsonl",
    "pi": ".pi/agent/sessions/shop/s1.jsonl",
    "openclaw": ".openclaw/agents/main/sessions/s1.jsonl",
    "kimi": ".kimi/sessions/f00/s1/wire.jsonl",
    "droid": ".factory/sessions/s1.settings.json",
    "amp": ".local/share/amp/threads/T-1.json",
    "opencode": ".local/share/opencode/storage/message/ses_1/msg_1.json",
    "llm": ".config/io.datasette.llm/logs.db",
}


def put(path, text="{}\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_agent_has_a_transcript_in_this_test():
    assert {agent.name for agent in AGENTS} == {*TRANSCRIPTS}


@pytest.mark.parametrize("agent", TRANSCRIPTS)
def test_the_transcripts_of_an_agent_are_found_at_home(agent):
    path = put(Path.home() / TRANSCRIPTS[agent])
    (folder,) = agent_folders()
    assert (folder.agent, folder.transcripts, folder.bytes) == (agent, (str(path),), 3)


def test_files_beside_the_transcripts_are_not_looked_at():
    for name in (".gemini/tmp/f00/logs.json", ".factory/sessions/s1.jsonl", ".claude/projects/x/notes.txt"):
        put(Path.home() / name)
    assert agent_folders() == []


def test_a_variable_moves_a_home_and_may_name_several(tmp_path, monkeypatch):
    put(Path.home() / ".claude/projects/a/s.jsonl")
    for name in ("one", "two"):
        put(tmp_path / name / "projects/a/s.jsonl")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{tmp_path / 'one'},{tmp_path / 'two'}")
    assert [folder.path.parent.name for folder in agent_folders()] == ["one", "two"]


def test_a_folder_that_two_homes_lead_to_is_counted_once():
    put(Path.home() / ".claude/projects/a/s.jsonl")
    (Path.home() / ".config").mkdir()
    (Path.home() / ".config/claude").symlink_to(Path.home() / ".claude")
    assert len(agent_folders()) == 1


def test_a_database_of_an_agent_is_found_and_its_neighbours_are_not():
    path = put(Path.home() / ".local/share/opencode/opencode.db")
    put(Path.home() / ".local/share/opencode/storage/part/prt_1.json")
    put(Path.home() / ".local/share/opencode/auth.json")
    (found,) = agent_folders()
    assert (found.agent, found.path, found.transcripts) == ("opencode", path, (str(path),))


def test_where_there_are_no_transcripts_every_agent_that_was_looked_for_is_named(llmtel):
    code, out, _ = llmtel()
    said = " ".join(out.split())
    assert code == 0
    assert "No transcripts of coding agents on this machine" in said
    assert [agent.name for agent in AGENTS if agent.name not in said] == []
