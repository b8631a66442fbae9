"""What a key of a log says about its values: texts, ids, persons and secrets, or what llmtel reads."""

from __future__ import annotations

import re
from enum import IntEnum

from msgspec import Struct

TEXTS = frozenset((
    "answer", "args", "arguments", "assistant", "b64_json", "body", "caption", "choices", "chunk",
    "command", "comment", "completion", "completion_text", "completions", "content", "contents",
    "context", "data", "delta", "description", "detail", "details", "diff", "document", "documents",
    "error_message", "exception", "explanation", "feedback", "file_path", "filename", "gen_text",
    "generated_text", "history", "image", "image_url", "images", "input", "input_json",
    "input_messages", "input_text", "inputs", "instruction", "instructions", "items", "last_message",
    "log", "logs", "markdown", "message", "messages", "new_string", "note", "notes", "old_string",
    "output", "output_messages", "output_text", "outputs", "page_content", "parameters", "params",
    "partial_json", "parts", "patch", "pattern", "payload", "preview", "prompt", "prompt_text",
    "prompts", "query", "question", "raw", "reasoning", "reasoning_content", "reasoning_text",
    "refusal", "reply", "request", "response", "response_text", "result", "results", "signature",
    "snippet", "stack", "stacktrace", "stderr", "stdout", "subject", "summary", "system",
    "system_instruction", "system_prompt", "template", "text", "texts", "thinking", "thought",
    "thoughts", "title", "tool_input", "tool_output", "transcript", "uri", "url", "user_message",
    "value", "values", "variables",
))  # fmt: skip
"""Names of what people and models say; what lies inside an object of that name is as private."""
PERSONAL = frozenset((
    "access_key", "access_token", "address", "api_key", "apikey", "auth", "authorization", "birth_date",
    "birthday", "card", "card_number", "city", "client_ip", "cookie", "cookies", "credential",
    "credentials", "date_of_birth", "display_name", "email", "email_address", "emails", "family_name",
    "first_name", "forwarded_for", "fullname", "full_name", "given_name", "host", "hostname", "iban",
    "ip", "ip_address", "last_name", "mail", "mobile", "name_of_user", "national_id", "passport",
    "password", "passwd", "phone", "phone_number", "postal_code", "postcode", "private_key",
    "real_name", "refresh_token", "remote_addr", "remote_ip", "secret", "secret_key", "set_cookie",
    "social_security_number", "source_ip", "ssn", "street", "surname", "tax_id", "telephone", "token",
    "user_email", "user_ip", "user_name", "x_api_key", "x_forwarded_for", "zip", "zip_code", "zipcode",
))  # fmt: skip
"""Names of what points at a person or opens a door, whatever it looks like."""
_IDS = frozenset((
    "account", "actor", "author", "client", "customer", "device", "end_user", "installation", "machine",
    "member", "org", "organization", "organisation", "owner", "parent", "session", "subscriber",
    "tenant", "thread", "trace", "trace_parent", "traceparent", "user", "username", "workspace",
))  # fmt: skip
_WRAPPERS = frozenset(("body", "completion", "data", "output", "outputs", "payload", "response", "result"))
"""Those of them under which formats have a whole answer as JSON, which is looked into."""
_SAYS = re.compile(
    r"_(?:answer|arguments|body|completion|content|description|inputs?|messages?|outputs?|prompts?|question|query"
    r"|response|result|text|title|value)$"
)
"""Ends of names of texts, as attributes of spans have them: gen_ai.prompt.0.content."""
_STRUCTURE = re.compile(
    r"(?:^|_)(?:type|role|object|reason|tier|status|state|kind|level|model|provider|operation|time|timestamp"
    r"|version|code|event|key|action)$"
)
"""Ends of names whose values are words of the format, wherever they stand."""
_ID = re.compile(r"(?:^|_)(?:id|ids|uuid|uuids|guid|arn)$")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[^0-9a-z]+")
_LONGEST, _WORDS = 64, 3
"""Letters and words of a name at most: what has more is a text."""


class Kind(IntEnum):
    """What the values of a key are, and so what becomes of them.

    READ: llmtel reads them. SAID: it reads them, and they may be sentences. USER and ID get pseudonyms.
    TEXT goes or is redacted. PERSONAL goes. Of a PLACE the last part stays. STRUCTURE is a
    word of the format, or a text. OTHER: as it looks, but INSIDE a text it is one.
    """

    OTHER = 0
    READ = 1
    SAID = 2
    USER = 3
    ID = 4
    TEXT = 5
    PERSONAL = 6
    PLACE = 7
    INSIDE = 8
    STRUCTURE = 9


PLACES = frozenset((
    "cwd", "dir", "directory", "folder", "path", "project_dir", "root", "working_directory", "workdir",
))  # fmt: skip
"""Names of paths, of which the last part is kept: the rest says whose machine it was."""


def plain(name: str) -> str:
    """A name as one word in small letters: userId, user.id and User-ID are user_id."""
    return _NO_WORD.sub("_", _HUMP.sub("_", name).lower()).strip("_")


class Names(Struct, frozen=True):
    """The names whose values the reader of a file needs, all `plain`.

    `users` and `ids` are those that fields of persons are read from, `read` the others; of them `named` are
    names by which calls are split, and `said` may hold sentences, such as what an error says.
    """

    named: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def kind(self, name: str) -> Kind:
        """What the values of a key are."""
        word = plain(name)
        if word in self.users:
            return Kind.USER
        if word in self.ids:
            return Kind.ID
        if word in PLACES:
            return Kind.PLACE
        if word in self.said or (word in self.named and word in TEXTS):
            return Kind.SAID
        if word in self.named or (word in self.read and word not in TEXTS and not _ID.search(word)):
            return Kind.READ
        return _by_name(word)

    def is_safe(self, name: str) -> bool:
        """Whether a key is a name and not itself a text."""
        return plain(name) in self.read or (
            len(name) <= _LONGEST and name.isascii() and len(name.split()) <= _WORDS and "@" not in name
        )


def _by_name(word: str) -> Kind:
    if word in PERSONAL:
        return Kind.PERSONAL
    if word in _IDS or _ID.search(word):
        return Kind.ID
    if word in TEXTS:
        return Kind.INSIDE if word in _WRAPPERS else Kind.TEXT
    if _SAYS.search(word):
        return Kind.INSIDE
    if _STRUCTURE.search(word):
        return Kind.STRUCTURE
    return Kind.OTHER
