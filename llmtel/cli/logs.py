"""The options that say which calls a command is about and how they are read and priced, for many commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from msgspec import Struct
from msgspec.structs import fields

from llmtel.cli import options as o

if TYPE_CHECKING:
    from llmtel.cli.answering import Question
    from llmtel.cli.settings import Settings


class Logs(Struct, frozen=True):
    """The options, as given."""

    where: o.Where = None
    since: o.Since = None
    until: o.Until = None
    tz: o.Tz = None
    pricing: o.PriceFiles = None
    price: o.Price = None
    cost_source: o.Cost = o.CostSource.AUTO
    store: o.Store = None
    input_format: o.InputFormat = None
    map_: o.Map = None
    join: o.Join = None
    config: o.Config = None
    rejects: o.Rejects = False

    def settings(self) -> Settings:
        """The configuration with what options say on top."""
        from llmtel.cli.settings import settle

        return settle(self.config, self.map_, self.join)

    def question(self, paths: list[str] | None, settings: Settings, by: tuple[str, ...]) -> Question:
        """The question whose answer are these calls, with what they are split by."""
        from llmtel.cli.answering import Question

        return Question(
            paths=tuple(o.asked_of(paths, self.store, settings.store)),
            by=(by,),
            where=tuple(self.where or ()),
            since=self.since,
            until=self.until,
            tz=self.tz or settings.tz,
            pricing=tuple(self.pricing or ()),
            price=tuple(self.price or ()),
            cost_source=self.cost_source.value,
            input_format=self.input_format,
            all_rejects=self.rejects,
            settings=settings,
            sides=True,
        )


def with_logs(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that takes `logs: Logs`, as one that takes each of its options."""
    own = inspect.signature(command, eval_str=True)
    hints = get_type_hints(Logs, globalns={**globals(), "Path": Path}, include_extras=True)
    shared = {
        one.name: inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name]
        )
        for one in fields(Logs)
    }

    @wraps(command)
    def run(**given: Any) -> Any:  # noqa: ANN401 (options of any type)
        options = {name: given.pop(name) for name in shared}
        return command(logs=Logs(**options), **given)

    kept = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for one in own.parameters.values()
        if one.name != "logs"
    ]
    parameters = [*kept, *shared.values()]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run
