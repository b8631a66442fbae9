"""Help of a command, with its options under headings."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class SectionedCommand(TyperCommand):
    """A command that lists its options by what they are about: the `rich_help_panel` of each."""

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


def _place(parameter: Any, name: str) -> tuple[str, str]:  # noqa: ANN401 (as above)
    """The heading of a parameter, and how it is written."""
    if parameter.param_type_name == "argument":
        return "Arguments", str(parameter.metavar)
    return getattr(parameter, "rich_help_panel", None) or "Other", name
