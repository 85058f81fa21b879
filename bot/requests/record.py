"""The records of requests: what a row of the table ``requests`` says.

`bot.requests.store` stores and changes them; whoever only reads a request needs this module alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from mst_core.errors import MstError
from mst_core.jobs import Receipt
from mst_core.request_json import decode_request
from mst_core.requests import Request


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request to be stored: its user, its message and what is requested."""

    user_id: int
    guild_id: int | None
    channel_id: int
    message_id: int
    interaction_token: str = field(repr=False)  # grants access to the message: never in a log
    file_limit_bytes: int
    locale: str
    request: Request
    names: dict[str, str] = field(default_factory=dict, kw_only=True)
    """The user's names of the uploaded files of the request, by SHA-256."""
    first_seed: int | None = field(default=None, kw_only=True)
    """The seed of variant 1, when the request is a later variant."""
    interaction_id: int | None = field(default=None, kw_only=True)
    """The command or press that made it; there is one request for each."""
    private: bool = field(default=False, kw_only=True)
    """Whether only its user sees it: a picture of the score before and after, which is drawn from
    the request of a result; or a file that is read before its user chooses a style."""
    expected_s: float = field(default=0.0, kw_only=True)
    """CPU seconds of work that are expected; a later place in the queue for more than 10."""


@dataclass(frozen=True, slots=True)
class RequestRecord(NewRequest):
    """A stored request: its row in the table ``requests``."""

    id: int
    state: str
    tries: int
    """Leases that were worked on, and the present one."""
    attempts: tuple[tuple[float, str], ...]
    """When and why attempts ended without an outcome, the first ones."""
    asked_at: float
    started_at: float | None
    finished_at: float | None
    answered_at: float | None
    error_code: str | None
    error_arguments: tuple[str, ...]
    receipt: Receipt | None
    stage_seconds: dict[str, float]
    deliveries: int
    worker: str | None
    press_token: str = field(repr=False)
    """Random text in the ids of the buttons below its result; empty before version 0.3."""

    @property
    def button_id(self) -> str:
        """The id of the request in buttons: its number, and the token that nobody can guess."""
        return f"{self.id}.{self.press_token}" if self.press_token else str(self.id)


def sort_rows(rows: Iterable[sqlite3.Row]) -> tuple[list[RequestRecord], list[sqlite3.Row]]:
    """Return the records of the rows that can be decoded, and the other rows."""
    records, unreadable = [], []
    for row in rows:
        try:
            records.append(record_from_row(row))
        except (msgspec.MsgspecError, MstError, ValueError):
            unreadable.append(row)
    return records, unreadable


def record_from_row(row: sqlite3.Row) -> RequestRecord:
    """Decode a row of the table ``requests``.

    Raises:
        msgspec.MsgspecError, MstError, ValueError: when it is of another version, or damaged.
    """
    values = {name: row[name] for name in row.keys() if name in RequestRecord.__dataclass_fields__}  # noqa: SIM118
    values["private"] = bool(row["private"])
    values["request"] = decode_request(row["request"])
    values["names"] = msgspec.json.decode(row["names"], type=dict[str, str])
    values["error_arguments"] = tuple(msgspec.json.decode(row["error_arguments"] or "[]"))
    values["receipt"] = row["receipt"] and msgspec.json.decode(row["receipt"], type=Receipt)
    values["attempts"] = msgspec.json.decode(row["attempts"], type=tuple[tuple[float, str], ...])
    values["stage_seconds"] = msgspec.json.decode(row["stage_seconds"] or "{}")
    return RequestRecord(**values)
