"""A user uploads a MIDI file in the preview and gets a new rhythm: the real engine."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from mst_core.reading.midi.read import read_midi
from tests.support.browser import (
    BrowserUser,
    audio_seconds,
    open_browser,
    score_width,
    wait_until,
)
from tests.support.preview import REAL_COMMAND, RunningPreview, running_preview
from tests.support.uploads import TRUNCATED_MIDI, write_reel

REEL = write_reel(bars=16)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with open_browser(tmp_path_factory.mktemp("profile")) as context:
        yield context


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPreview]:
    with running_preview(REAL_COMMAND, tmp_path_factory.mktemp("real")) as preview:
        yield preview
        assert preview.end(signal.SIGTERM) == 0


def test_an_uploaded_midi_file_gets_another_rhythm(
    preview: RunningPreview, browser: BrowserContext, tmp_path: Path
) -> None:
    (tmp_path / "reel.mid").write_bytes(REEL)
    you = BrowserUser(browser, preview.address)
    you.command("rerhythm", file=tmp_path / "reel.mid", rhythm="jazz", strength="95", seed="7")
    wait_until(you.results().count, "a result", 180)
    result = you.results().first
    wait_until(lambda: audio_seconds(result) > 5, "a sound longer than 5 s")
    wait_until(lambda: score_width(result) > 0, "a score")
    assert "reel.mid in jazz rhythm" in result.inner_text()
    assert "95 %" in result.inner_text()
    with you.page.expect_download() as download:
        result.get_by_label(re.compile(r"^Download reel.*\.mid$")).click()
    before = read_midi(REEL).melody
    after = read_midi(download.value.path().read_bytes()).melody
    assert [note.pitch for note in after.notes] == [note.pitch for note in before.notes]
    assert [note.duration for note in after.notes] != [note.duration for note in before.notes]
    you.press("25 %", result)
    wait_until(lambda: you.results().count() == 2, "the same with another strength", 180)
    you.press("Before and after", result)
    both = you.messages("your tune above, the result below")
    wait_until(lambda: both.count() and score_width(both) > 0, "both scores", 180)


def test_a_broken_file_is_reported_in_private_and_leaves_nothing(
    preview: RunningPreview, browser: BrowserContext, tmp_path: Path
) -> None:
    (tmp_path / "broken.mid").write_bytes(TRUNCATED_MIDI)
    you, friend = BrowserUser(browser, preview.address), BrowserUser(browser, preview.address)
    friend.view_as("friend")
    you.command("rerhythm", file=tmp_path / "broken.mid", rhythm="folk")
    you.messages("This file cannot be read").wait_for()
    assert not friend.messages("cannot be read").count()
    assert not friend.messages("broken.mid").count()
