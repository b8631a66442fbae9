"""The commands in their order and groups, each with command lines that work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from importlib import import_module
from textwrap import dedent, indent

import typer

from llmtel.cli.sections import LightGroup, SectionedCommand

HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    name="llmtel",
    cls=LightGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)
EXAMPLES: dict[str, str] = {
    "analyze:analyze": """
        llmtel analyze logs/
        llmtel analyze logs/ --by model,region --metrics calls,cost,p95_latency
        llmtel analyze logs/ --by day --where 'latency_ms>2s' --since 7d
        llmtel analyze logs/ --cache
        llmtel analyze logs/ --price acme-7b=0.2/0.6 --format csv -o costs.csv
        """,
    "calls:calls": """
        llmtel calls logs/ --where 'latency_ms>8s' --sort latency_ms --top 20
        llmtel calls logs/ --where status=error --format jsonl
        """,
    "ingest:ingest": """
        llmtel ingest logs/ --store calls.store
        llmtel ingest logs/ --store calls.store --follow
        llmtel analyze --store calls.store --since 7d
        llmtel ingest logs/ -o calls.parquet
        """,
    "check:check": """
        llmtel check logs/
        llmtel check logs/ --baseline .llmtel/baseline.json --format github --format markdown=comment.md
        llmtel check logs/ --compare 'prev 7d' --fail-if 'cost_per_call{feature=chat} > +10%'
        """,
    "compare:compare": """
        llmtel compare last-week/ this-week/
        llmtel compare 'prev 7d' logs/ --by feature
        llmtel compare .llmtel/baseline.json logs/
        """,
    "reconcile:reconcile": """
        llmtel reconcile logs/ --with usage.json --with costs.json --max-gap 2%
        llmtel reconcile logs/ --with activity.csv --allocate feature --format markdown
        """,
    "inspect:inspect": """
        llmtel inspect logs/app.jsonl
        """,
    "redact:redact": """
        llmtel redact logs/ -o shared/
        llmtel redact app.jsonl -o shared/ --text redact --key-env LLMTEL_KEY
        """,
    "calibrate:calibrate": """
        llmtel calibrate logs/
        """,
    "listing:list_": """
        llmtel list metrics
        """,
}
"""The commands in their order, as `module:function` of `llmtel.cli`, each with command lines that work."""
PRICING: dict[str, str] = {
    "prices:list_": """
        llmtel pricing list --provider anthropic
        llmtel pricing list --as-of 2025-01-01 --format csv
        """,
    "prices:show": """
        llmtel pricing show gpt-4o
        """,
    "explain:explain": """
        llmtel pricing explain logs/app.jsonl:17
        llmtel pricing explain req_8f2c logs/
        tail -1 logs/app.jsonl | llmtel pricing explain
        """,
    "price_files:check": """
        llmtel pricing check
        llmtel pricing check prices.yaml
        """,
    "price_files:update": """
        llmtel pricing update --from genai-prices
        llmtel pricing update --from models.dev api.json --only 'openai/gpt-6*' --write
        """,
    "price_files:add": """
        llmtel pricing add openai/gpt-9=1.25/10 --cache-read 0.125
        llmtel pricing add acme-7b=0.2/0.6
        """,
}
"""The commands of `llmtel pricing`, in the same way."""
FORMATS: dict[str, str] = {
    "formats:test": """
        llmtel formats test samples/gateway.jsonl
        llmtel formats test samples/gateway.jsonl --write
        """,
}
"""The commands of `llmtel formats`, in the same way."""
BASELINE: dict[str, str] = {
    "baselines:save": """
        llmtel baseline save logs/
        llmtel baseline save logs/ --rules rules.yaml -o .llmtel/nightly.json
        """,
    "baselines:show": """
        llmtel baseline show
        """,
    "baselines:diff": """
        llmtel baseline diff logs/
        """,
    "baselines:update": """
        llmtel baseline update logs/ --accept 'answers are longer on purpose'
        """,
}
"""The commands of `llmtel baseline`, in the same way."""
INIT: dict[str, str] = {
    "init:ci": """
        llmtel init ci --github llm-logs/ --run 'python evaluate.py'
        """,
    "init:schema": """
        llmtel init schema
        """,
}
"""The commands of `llmtel init`, in the same way."""
STORE: dict[str, str] = {
    "stores:info": """
        llmtel store info calls.store
        """,
    "stores:verify": """
        llmtel store verify calls.store
        """,
    "stores:rejects": """
        llmtel store rejects calls.store --format jsonl
        """,
    "stores:export": """
        llmtel store export calls.store -o calls.parquet
        """,
    "stores:compact": """
        llmtel store compact calls.store
        """,
    "stores:forget": """
        llmtel store forget calls.store --user ada
        """,
    "stores:rollup": """
        llmtel store rollup calls.store
        """,
    "stores:expire": """
        llmtel store expire calls.store --older-than 90d
        """,
    "rekeying:rekey": """
        llmtel store rekey calls.store --key-env NEW_STORE_KEY
        """,
    "people_commands:users": """
        llmtel store users calls.store --keep pseudonym
        """,
    "people_commands:rotate_key": """
        llmtel store rotate-key calls.store
        """,
}
"""The commands of `llmtel store`, in the same way."""
PRIVACY: dict[str, str] = {
    "privacy:check": """
        llmtel privacy check calls.store
        """,
}
"""The commands of `llmtel privacy`, in the same way."""
CACHE: dict[str, str] = {
    "caches:info": """
        llmtel cache info
        """,
    "caches:clear": """
        llmtel cache clear
        """,
}
"""The commands of `llmtel cache`, in the same way."""
GROUPS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "baseline",
        "The baseline that llmtel check compares with: save it, look at it, take a new one.",
        BASELINE,
    ),
    ("init", "Write the files with which a repository begins to check.", INIT),
    (
        "pricing",
        "The price book: look into it, check it, explain a cost, bring it up to date.",
        PRICING,
    ),
    (
        "store",
        "A store that llmtel ingest filled: what is in it, whether it is whole, and what keeps it small.",
        STORE,
    ),
    ("privacy", "What a store holds of people, and who may read it.", PRIVACY),
    ("cache", "What analyze --cache keeps of logs: where it is, and its end.", CACHE),
    ("formats", "For those who add a format: test what is read of a sample.", FORMATS),
)
"""The groups of commands in their order: name, help and commands."""


def function(command: str) -> Callable[..., object]:
    """The function of a command, whose module is loaded for it."""
    module, _, name = command.partition(":")
    found: Callable[..., object] = getattr(import_module(f"llmtel.cli.{module}"), name)
    return found


def word(command: str) -> str:
    """What is typed for a command."""
    return command.partition(":")[2].strip("_").replace("_", "-")


def named(wanted: str | None) -> typer.Typer:
    """The app with the one command or group of that name, or all of it where there is none.

    To load and build all commands takes as long as a small question.
    """
    commands = {one: examples for one, examples in EXAMPLES.items() if word(one) == wanted}
    groups = tuple(one for one in GROUPS if one[0] == wanted)
    if not commands and not groups:
        commands, groups = EXAMPLES, GROUPS
    one = copy(app)
    one.registered_commands, one.registered_groups = [], []
    _register(one, commands)
    for group in groups:
        one.add_typer(_group(*group))
    return one


def _group(name: str, about: str, commands: Mapping[str, str]) -> typer.Typer:
    group = typer.Typer(
        name=name,
        cls=LightGroup,
        help=about,
        rich_markup_mode=None,
        invoke_without_command=True,
        context_settings=HELP,
    )
    group.callback()(_look_around)
    _register(group, commands)
    return group


def _register(group: typer.Typer, commands: Mapping[str, str]) -> None:
    for command, examples in commands.items():
        group.command(
            word(command),
            cls=SectionedCommand,
            epilog="\b\nExamples:\n" + indent(dedent(examples), "  ").strip("\n"),
        )(function(command))


def _look_around(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
