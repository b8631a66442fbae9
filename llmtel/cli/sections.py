"""A command: its help, with its options under headings, and what is typed for them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from typer.core import TyperCommand, TyperGroup


class LightGroup(TyperGroup):
    """A group of commands whose own options need no validator."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (typer has no public type for it)
        """Parse the command line up to the command."""
        _lighten(self.get_params(ctx))
        return super().parse_args(ctx, args)


class SectionedCommand(TyperCommand):
    """A command that lists its options by what they are about: the `rich_help_panel` of each."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (as above)
        """Parse the command line; what needs no validator has none."""
        _lighten(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 (typer has no public type for it)
        """What follows the command in its usage line: the arguments as their metavars say them."""
        arguments = (p for p in self.get_params(ctx) if p.param_type_name == "argument")
        return ["[OPTIONS]", *(str(argument.metavar) for argument in arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 (as above)
        """Write a list of arguments, then one of options for each heading, those without one last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading, name = _place(parameter, record[0])
                sections.setdefault(heading, []).append((name, record[1]))
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def _lighten(parameters: Iterable[Any]) -> None:
    """Have parameters take what was typed, as far as that is all there is to do.

    The validator of later versions of Typer is Pydantic's: to load it takes a tenth of a small answer.
    """
    for parameter in parameters:
        if hasattr(parameter, "_runtime_param"):
            parameter._runtime_param = _AsTyped()  # noqa: SLF001 (Typer has no public way)


class _AsTyped:
    """What a parameter takes as it was typed: texts, its words, and nothing; the rest is Typer's to say."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 (as Typer has it)
        """The value that a command gets for what was typed."""
        kind = param.type_descriptor.annotation
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        if kind == list[str] and many and not isinstance(value, str):
            return list(value)
        if isinstance(kind, type) and issubclass(kind, str) and isinstance(value, kind):
            return value
        if isinstance(kind, type) and issubclass(kind, Enum) and value in {one.value for one in kind}:
            return kind(value)
        param._runtime_param = None  # noqa: SLF001 (as above)
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def _place(parameter: Any, name: str) -> tuple[str, str]:  # noqa: ANN401 (as above)
    """The heading of a parameter, and how it is written."""
    if parameter.param_type_name == "argument":
        return "Arguments", str(parameter.metavar)
    return getattr(parameter, "rich_help_panel", None) or "Other", name
