"""The texts of a call, found by shape: what was said to the model and by it. Counted, never kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from llmtel.sources.source import Record

PLACES = ("request", "response", "body", "params", "data", "payload", "metadata", "attributes")
"""Keys under which an application's line may hold what was sent and what came back."""
ASKED = ("messages", "prompt", "input", "contents", "prompt_text", "input_text", "question", "query")
GUIDED = ("system", "instructions", "system_prompt", "systemInstruction", "system_instruction")
ANSWERED = (
    "choices", "output", "candidates", "completion", "answer", "output_text", "response_text",
    "generated_text", "completion_text", "response",
)  # fmt: skip
TEXTS = ("text", "content", "parts", "message", "output_text", "input_text", "generated_text")
"""Keys of a message, a part or a choice that lead to its text."""
PROMPT, FRAMING, OUTPUT = TEXT_COLUMNS = ("@prompt", "@framing", "@output")
"""Columns that hold the texts of a batch's calls until they are counted, and the tokens around them."""
FINGERPRINT = "@fingerprint"
"""A column with the hash of a call's prompt."""
PER_MESSAGE, PER_NAME, PER_REPLY = 3, 1, 3
"""Tokens around the messages of a chat: https://github.com/openai/openai-cookbook, How to count tokens."""
_DEEPEST = 8


class Texts(Struct, frozen=True):
    """Texts of the prompt and of the answer, and the tokens that frame a chat's messages."""

    prompt: tuple[str, ...]
    framing: int
    output: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is anything to count."""
        return bool(self.prompt or self.output)


def texts_of(record: Record) -> Texts:
    """The texts of a call's record, wherever the usual shapes have them; the first place that has some."""
    around = [record, *(inner for key in PLACES for inner in _objects(record.get(key)))]
    guided = tuple(_first(around, GUIDED))
    asked = tuple(_first(around, ASKED))
    output = tuple(_first(around, ANSWERED)) or tuple(_message_itself(around))
    return Texts(guided + asked, _framing(around) if asked else 0, output)


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    """An object, and the body inside it."""
    if isinstance(value, dict):
        yield value
        inner = value.get("body")
        if isinstance(inner, dict):
            yield inner


def _first(places: Iterable[Mapping[str, Any]], keys: Iterable[str]) -> Iterator[str]:
    """The texts under the first of some keys, in the first place that has any."""
    for place in places:
        for key in keys:
            found = list(_said(place.get(key), 0)) if key in place else []
            if found:
                yield from found
                return


def _message_itself(places: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The blocks of an answer that is a message, as Anthropic's are."""
    for place in places:
        if place.get("role") == "assistant" and "content" in place:
            yield from _said(place["content"], 0)
            return


def _said(value: object, depth: int) -> Iterator[str]:
    """Every text of messages, parts and choices, in order."""
    if isinstance(value, str):
        if value:
            yield value
    elif depth < _DEEPEST and isinstance(value, list):
        for element in value:
            yield from _said(element, depth + 1)
    elif depth < _DEEPEST and isinstance(value, dict):
        for key in TEXTS:
            if value.get(key):
                yield from _said(value[key], depth + 1)
                return


def _framing(places: Iterable[Mapping[str, Any]]) -> int:
    """Tokens around the messages of a chat; none around a bare prompt."""
    for place in places:
        for key in ("messages", "input", "contents"):
            messages = place.get(key)
            if isinstance(messages, list) and any(isinstance(message, dict) for message in messages):
                names = sum(1 for message in messages if isinstance(message, dict) and message.get("name"))
                return PER_MESSAGE * len(messages) + PER_NAME * names + PER_REPLY
    return 0
