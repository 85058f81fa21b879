"""Logs as JSON: one line a record, the request that it is about, and no secret."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.__main__ import LOG_FORMAT, RedactingFormatter
from bot.monitoring.logs import REQUEST_ID
from mst_core.engine.process import _log_line
from mst_core.errors import EngineFault
from tests.support.engines import ask, opened, perform
from tests.support.fakes import make_settings
from tests.support.queue_env import QueueEnv

SECRET = 'MTIz."quoted"\\token'  # noqa: S105 - JSON escapes it
URL = "https://discord.com/api/v10/webhooks/1/aW50ZXI-x_y"


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """The lines that the bot's loggers write as JSON, decoded."""
    settings = make_settings(tmp_path, DISCORD_TOKEN=SECRET, MST_LOG_FORMAT="json")
    found: list[dict[str, Any]] = []
    formatter = RedactingFormatter(LOG_FORMAT, settings)

    class Decoder(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = formatter.format(record)
            assert "\n" not in text
            found.append(json.loads(text))

    handler, loggers = Decoder(), [logging.getLogger(name) for name in ("bot", "mst_core")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield found
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_a_record_is_one_object_in_one_line(lines: list[dict[str, Any]]) -> None:
    logging.getLogger("bot.x").warning("two\nlines of %s ♩", "text")
    (entry,) = lines
    assert entry.pop("time").endswith("+00:00")
    assert entry == {"level": "warning", "logger": "bot.x", "message": "two\nlines of text ♩"}


def test_secrets_are_masked_and_the_line_stays_valid(lines: list[dict[str, Any]]) -> None:
    try:
        raise OSError(f'cannot reach "{URL}" with {SECRET}')
    except OSError:
        logging.getLogger("bot.x").exception('"%s" "%s"', URL, SECRET)
    (entry,) = lines
    assert (
        entry["message"] == '"https://discord.com/api/v10/webhooks/1/**********" "\'**********\'"'
    )
    assert "OSError: cannot reach" in entry["traceback"]
    for secret in (SECRET, "aW50ZXI", "quoted"):
        assert secret not in entry["message"] + entry["traceback"]


async def test_what_a_request_logs_has_its_number(
    lines: list[dict[str, Any]], queue: QueueEnv
) -> None:
    queue.notifier.errors = [OSError("for once")]
    async with queue.scheduling() as scheduler:
        first = await queue.add(scheduler)
        second = await queue.add(scheduler, user_id=2)
        await queue.delivered(first, second)
    about = {(line["logger"], line.get("request")) for line in lines}
    for record in (first, second):
        assert ("bot.requests.scheduler", record.id) in about
    for line in lines:
        if line["message"].startswith("request "):
            assert line["message"].split()[1].rstrip(":") == str(line["request"])
    assert REQUEST_ID.get() is None, "what works on no request has no number"


async def test_tasks_of_two_requests_do_not_mix(lines: list[dict[str, Any]]) -> None:
    async def work(number: int) -> None:
        REQUEST_ID.set(number)
        await asyncio.sleep(0)
        logging.getLogger("bot.x").info("%d", number)

    await asyncio.gather(work(1), work(2))
    assert [(line["message"], line["request"]) for line in lines] == [("1", 1), ("2", 2)]


def test_a_line_that_names_no_job_by_a_number_is_logged_without_one(
    lines: list[dict[str, Any]],
) -> None:
    for line in (b"INFO [job \xc2\xb2] as in a title", b"INFO [job 7-compare] of old"):
        _log_line(line, logging.INFO)
    assert [(line["message"], line.get("request")) for line in lines] == [
        ("as in a title", None),
        ("of old", None),
    ]


async def test_what_the_engine_logs_has_the_number_of_its_request(
    lines: list[dict[str, Any]], tmp_path: Path
) -> None:
    REQUEST_ID.set(99)  # such as that of the request that had the engine started again
    async with opened(tmp_path) as engine:
        for job_id in ("7", "8"):
            with pytest.raises(EngineFault):
                await perform(engine, msgspec.structs.replace(ask("failing"), id=job_id))
        await perform(engine, ask("printing"))
    REQUEST_ID.set(None)
    found = [line for line in lines if line["logger"] == "mst_core.engine.worker"]
    for request in (7, 8):
        (report, *traceback) = [line for line in found if line.get("request") == request]
        assert report["message"].startswith(f"job {request} failed, reference ")
        assert traceback[0]["message"] == "Traceback (most recent call last):"
        assert traceback[-1]["message"] == "ZeroDivisionError: a bug in the composer"
        assert {line["level"] for line in traceback} == {"error"}
    printed = [line for line in found if "one in C writes this" in line["message"]]
    assert [line.get("request") for line in printed] == [None]
