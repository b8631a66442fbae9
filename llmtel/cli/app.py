"""The app, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import gc
import os
import re
import shlex
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from llmtel import __version__
from llmtel.cli import summary
from llmtel.cli.commands import app, named
from llmtel.core.errors import Exit, LlmtelError

ClickError: type[Exception] = typer.BadParameter.__mro__[2]
"""Base of what the parser raises; found this way, as later versions of Typer ship their own parser."""

INTERRUPTED = 130
VALUE_ERROR = re.compile(r"Value error, |Input should be (?:a valid )?")
"""Words of the validator that say nothing to the one who typed."""
UNKNOWN_COMMAND = re.compile(r"No such command '(.*?)'", re.DOTALL)
DEBUG = "LLMTEL_DEBUG"
"""Variable with which a mistake of ours is shown in full."""
PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

ALLOCATOR = (
    "background_thread:false,dirty_decay_ms:5000,muzzy_decay_ms:-1,oversize_threshold:0,"
    f"narenas:{os.cpu_count() or 4}"
)
"""Options of jemalloc, which Polars is built with: https://jemalloc.net/jemalloc.3.html.

What one arena has free no other takes, so more than threads run at once would only take memory. What nobody
took for seconds goes back: a large answer needs it at its beginning alone.
"""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"llmtel {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def bare(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Latency, tokens, cost and errors of LLM calls, from the logs you already have.

    Without a command: what the coding agents of this machine cost. Nothing leaves it.
    """
    if context.invoked_subcommand is None:
        summary.summary()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with the exit code of `core.errors.Exit`."""
    _settle_memory()
    try:
        code = run(arguments)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 (a panic of Polars is no Exception)
        code = _bug(error)
    _end(code)


def _end(code: int) -> NoReturn:
    """End the process as it is: to take modules and frames apart, piece by piece, takes 0.15 s and more."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _settle_memory() -> None:
    """Memory for one large answer, before Polars is loaded: together a tenth of the CPU time of a large log.

    Polars' allocator keeps freed pages for the next batch instead of giving them back and asking for them
    again, and Python looks for cycles of garbage seldom: a run makes next to none.
    """
    os.environ.setdefault("_RJEM_MALLOC_CONF", ALLOCATOR)
    gc.set_threshold(1_000_000, 50, 1_000)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code. A programmer's error is raised as it is."""
    _open_streams()
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        code = named(next(iter(given), None))(args=given, prog_name="llmtel", standalone_mode=False)
        sys.stdout.flush()
    except LlmtelError as error:
        _say(str(error))
        return error.exit_code
    except ClickError as error:
        _say(_sentence(error))
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except OSError as error:
        return _fault(error)
    if code == INTERRUPTED:
        _stopped()
    return code if isinstance(code, int) else Exit.OK


def _open_streams() -> None:
    """Streams that the caller has closed lead nowhere, rather than into a file that is opened later."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 (open until the process ends)


def _fault(error: OSError) -> int:
    """A closed pipe is a reader that has seen enough, what a machine refuses a sentence; the rest is ours."""
    if isinstance(error, BrokenPipeError):
        # What is still buffered has nowhere to go; the interpreter would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    if error.errno in NO_SPACE:
        _say(f"no space left to write {error.filename or 'the answer'}")
        return Exit.CRASH
    if error.strerror and error.filename:
        _say(f"{error.filename}: {error.strerror.lower()}")
        return Exit.CRASH
    raise error


def _bug(error: BaseException) -> int:
    """A mistake of ours is a sentence too: what an error says may hold text of a log, so it is not shown."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
        return Exit.CRASH
    if isinstance(error, MemoryError):
        _say("there is not enough memory for this")
        return Exit.CRASH
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if one.filename.startswith(PACKAGE)]
    at = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    what = f"a mistake of llmtel itself ({type(error).__name__}{at})"
    _say(f"{what}; {DEBUG}=1 shows all of it, maybe with text of your logs")
    return Exit.CRASH


def _sentence(error: BaseException) -> str:
    """What the parser complains about, and where help is."""
    message = str(getattr(error, "format_message", error.__str__)())
    command = getattr(getattr(error, "ctx", None), "command_path", "llmtel")
    unknown = UNKNOWN_COMMAND.match(message)
    if unknown is not None and os.path.exists(unknown[1]):  # noqa: PTH110 (it may be no path)
        return (
            f"there is no command {unknown[1]!r}. To read that path: llmtel analyze {shlex.quote(unknown[1])}"
        )
    message = " ".join(VALUE_ERROR.sub("", message).split())
    end = "" if message.endswith(("?", ".", "!")) else "."
    return f"{message[:1].lower()}{message[1:]}{end} See: {command} --help"


def _stopped() -> None:
    from llmtel.cli.narration import narrate, wipe

    wipe()
    narrate("stopped")


def _say(text: str) -> None:
    from llmtel.cli.narration import narrate

    narrate(text)
