"""How a store keeps users."""

from __future__ import annotations

from typing import Literal, get_args

Users = Literal["plain", "pseudonym", "drop"]
"""By name, under keyed pseudonyms, or not at all."""
USERS: tuple[Users, ...] = get_args(Users)
