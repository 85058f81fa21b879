"""The preview from a user's view: real processes and real headless Chromium."""

from __future__ import annotations

import http.client
import inspect
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext
from simcord import Env, Preview
from simcord._clock import Clock
from simcord.preview._pages import _Page, _PageOps
from simcord.preview._server import PreviewServer

from tests.support.browser import (
    BrowserUser,
    audio_seconds,
    open_browser,
    score_width,
    seconds_played,
    wait_until,
)
from tests.support.paths import PROJECT
from tests.support.preview import (
    GRACE_S,
    REAL_COMMAND,
    SLOW_COMMAND,
    RunningPreview,
    running_preview,
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with open_browser(tmp_path_factory.mktemp("profile")) as context:
        yield context


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPreview]:
    with running_preview(SLOW_COMMAND, tmp_path_factory.mktemp("slow")) as preview:
        yield preview


def test_two_users_see_their_jobs_progress_and_play_the_results(
    slow: RunningPreview, browser: BrowserContext
) -> None:
    you, friend = BrowserUser(browser, slow.address), BrowserUser(browser, slow.address)
    friend.view_as("friend")
    with slow.jobs_held():
        you.command("compose", style="folk")
        friend.command("transfer", pitch="jazz", rhythm="folk")
        first = wait_until(
            lambda: len(you.percentages()) == 2 and you.percentages(), "two jobs under way"
        )
        wait_until(
            lambda: all(was < now for was, now in zip(first, you.percentages(), strict=True)),
            "both jobs moving on",
        )
        you.command("help")
        you.messages("Only you can see this").wait_for()
        assert not friend.messages("Only you can see this").count()
        assert not you.results().count()
    wait_until(lambda: you.results().count() == 2, "two results")
    wait_until(lambda: friend.results().count() == 2, "the same two on the other page")
    result = you.results().filter(has_text="Jazz").first
    wait_until(lambda: audio_seconds(result) > 15, "a sound that plays")
    wait_until(lambda: score_width(result) > 0, "a score")
    with you.page.expect_download() as download:
        result.get_by_label(re.compile(r"^Download .*\.mid$")).click()
    assert download.value.path().read_bytes() == b"MThd"


def test_a_reload_during_a_job_keeps_the_channel_and_audio_continues(
    slow: RunningPreview, browser: BrowserContext
) -> None:
    you = BrowserUser(browser, slow.address)
    before = you.results().count()
    with slow.jobs_held():
        you.command("compose", style="folk")
        wait_until(you.percentages, "the job under way")
        you.page.reload()
        wait_until(you.percentages, "the job under way on the new page")
    wait_until(lambda: you.results().count() == before + 1, "the result")
    result = you.results().last
    wait_until(lambda: audio_seconds(result) > 15, "a sound that plays")
    result.get_by_role("button", name="Play").click()
    you.press("Another one", result)
    wait_until(lambda: you.results().count() == before + 2, "the second result")
    assert seconds_played(you.results().nth(before)) > 0


def test_the_server_accepts_only_its_own_address(slow: RunningPreview) -> None:
    port = int(slow.address.rstrip("/").rpartition(":")[2])

    def status(host: str) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            connection.request("GET", "/?live", headers={"Host": host})
            return connection.getresponse().status

    # Both host names reach the server through an SSH tunnel from the same port.
    assert (status(f"127.0.0.1:{port}"), status(f"localhost:{port}")) == (200, 200)
    assert (status("example.org"), status(f"example.org:{port}")) == (403, 403)


def test_a_request_made_while_the_engine_starts_survives_the_end_of_the_bot(
    tmp_path: Path, browser: BrowserContext
) -> None:
    (tmp_path / "cold").touch()
    (tmp_path / "held").touch()
    with running_preview(SLOW_COMMAND, tmp_path) as preview:
        you = BrowserUser(browser, preview.address)
        you.command("compose", style="folk")
        wait_until(you.messages("The engine is starting").count, "the engine warming up")
        (tmp_path / "cold").unlink()
        wait_until(you.percentages, "the job under way")
        assert preview.end(signal.SIGTERM) == 0
    (tmp_path / "held").unlink()
    with running_preview(SLOW_COMMAND, tmp_path) as preview:
        you = BrowserUser(browser, preview.address)
        wait_until(you.results().count, "the result of the request from before")
        assert you.messages("no longer in the channel").count()
        you.command("history")
        you.messages("Your latest requests").wait_for()
        assert preview.end(signal.SIGINT) == 0


def test_ending_the_session_on_the_page_ends_the_bot(
    tmp_path: Path, browser: BrowserContext
) -> None:
    with running_preview(SLOW_COMMAND, tmp_path) as preview:
        you = BrowserUser(browser, preview.address)
        you.page.get_by_text("More", exact=True).click()
        you.page.get_by_role("button", name="End preview session").click()
        preview.process.communicate(timeout=GRACE_S)
        assert preview.process.returncode == 0


def test_a_taken_port_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environment = {
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "DISCORD_TOKEN": "",
            "MST_DATA_DIR": str(tmp_path),
            "MST_TRYOUT_PORT": str(port),
            "MST_LOG_LEVEL": "error",
        }
        ended = subprocess.run(
            REAL_COMMAND, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: MST_TRYOUT_PORT: port {port} is taken; set another, or 0 for any\n"
    )


def test_simcord_has_the_private_parts_that_the_page_uses() -> None:
    def parameters(function: object) -> list[str]:
        assert callable(function)
        return list(inspect.signature(function).parameters)

    assert parameters(Preview._action) == ["self", "context_id", "body"]
    assert parameters(_PageOps._get_page) == ["self", "context_id"]
    assert "revision" in _Page.__slots__
    assert parameters(PreviewServer.__init__) == ["self", "preview", "port"]
    assert parameters(PreviewServer._index) == ["self", "request"]
    assert {"timeout", "dispatch", "_deadline"} <= set(parameters(Env._settle_internal))
    assert parameters(Env._record_error) == ["self", "error"]
    assert Clock()._epoch


def test_a_tune_from_the_command_to_its_audio(tmp_path: Path, browser: BrowserContext) -> None:
    with running_preview(REAL_COMMAND, tmp_path) as preview:
        you = BrowserUser(browser, preview.address)
        you.command("compose", style="folk")
        wait_until(lambda: you.percentages() or you.results().count(), "progress")
        wait_until(you.results().count, "a result", 180)
        first = you.results().first
        wait_until(lambda: audio_seconds(first) > 15, "a sound longer than 15 s")
        wait_until(lambda: score_width(first) > 0, "a score")
        with you.page.expect_download() as download:
            first.get_by_label(re.compile(r"^Download .*\.mid$")).click()
        assert download.value.path().read_bytes().startswith(b"MThd")
        you.press("Another one", first)
        wait_until(lambda: you.results().count() == 2, "a second result", 180)
        second = you.results().last
        wait_until(lambda: audio_seconds(second) > 15, "a second sound")
        assert first.inner_text() != second.inner_text()
        assert preview.end(signal.SIGTERM) == 0
