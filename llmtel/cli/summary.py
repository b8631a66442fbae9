"""Bare `llmtel`: what the coding agents of this machine cost today, in 7 and in 30 days."""

from __future__ import annotations


def summary() -> None:
    """Find the agents' folders and print today, 7 and 30 days in local time."""
    import time
    from datetime import datetime
    from pathlib import Path

    from llmtel import pipeline
    from llmtel.cli.machine import AGENTS, agent_folders
    from llmtel.cli.narration import Progress
    from llmtel.cli.options import OutputFormat
    from llmtel.cli.output import write
    from llmtel.cli.prices import prices_of
    from llmtel.pricing import book as books
    from llmtel.pricing import cost
    from llmtel.reports.summary import Folder, nothing_found, summary_of

    started = time.monotonic()
    folders = agent_folders()
    if not folders:
        write(nothing_found([agent.name for agent in AGENTS]), OutputFormat.TABLE, None)
        return
    transcripts = [path for folder in folders for path in folder.transcripts]
    book = books.load()
    with Progress() as progress:
        reading = pipeline.read(transcripts, progress=progress)
    now = datetime.now().astimezone()
    home = str(Path.home())
    shown = [
        Folder(f.agent, str(f.path).replace(home, "~", 1), f.files, f.bytes, now.timestamp() - f.latest)
        for f in folders
    ]
    calls = cost.priced(reading.calls, book)
    write(
        summary_of(calls, shown, now=now, prices=prices_of(book), seconds=time.monotonic() - started),
        OutputFormat.TABLE,
        None,
    )
