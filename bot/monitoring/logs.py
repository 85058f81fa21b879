"""Logs that a program reads: one JSON object a line, with the request that a record is about.

A module of its own, because the request store and the cogs need none of it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

REQUEST_ID: ContextVar[int | None] = ContextVar("REQUEST_ID", default=None)
"""The request that this task works on."""


def json_line(record: logging.LogRecord, redact: Callable[[str], str]) -> str:
    """Return a log record as one line of JSON.

    Its keys are ``time`` (ISO 8601, UTC), ``level``, ``logger`` and ``message``, then ``request``
    and ``traceback`` where there is one. A job has the number of its request, also where the engine
    logs in its own process.

    Args:
        record: The record.
        redact: Replaces the secrets in a text. It sees each text before its encoding, where a
            secret is as it was written.
    """
    entry: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": redact(record.getMessage()),
    }
    # A record of the engine names its job: whatever this task works on is another thing.
    job_id = getattr(record, "job", None)
    request_id = REQUEST_ID.get() if job_id is None else int(job_id) if job_id.isdecimal() else None
    if request_id is not None:
        entry["request"] = request_id
    if record.exc_info and record.exc_info[0]:
        entry["traceback"] = redact(logging.Formatter().formatException(record.exc_info))
    return json.dumps(entry)
