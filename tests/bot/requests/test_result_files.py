"""The files of a result are written and deleted as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.requests.result_files import ResultFiles


def test_new_files_replace_the_old_ones(tmp_path: Path) -> None:
    results = ResultFiles(tmp_path)
    results.write(1, {"mp3": b"old", "mid": b"old"})
    results.write(1, {"mp3": b"new"})
    assert results.read(1) == {"mp3": b"new"}


def test_discarding_twice_leaves_nothing(tmp_path: Path) -> None:
    results = ResultFiles(tmp_path)
    results.write(1, {"mp3": b"sound"})
    results.discard(1)
    results.discard(1)
    assert results.read(1) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_is_not_visible(tmp_path: Path) -> None:
    results = ResultFiles(tmp_path)
    with pytest.raises(TypeError):
        results.write(1, {"mp3": b"sound", "mid": "no bytes"})  # type: ignore[dict-item]
    assert results.read(1) == {}
    results.sweep([1])
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_deletes_all_other_results(tmp_path: Path) -> None:
    results = ResultFiles(tmp_path)
    for request_id in (1, 2, 3):
        results.write(request_id, {"mp3": b"sound"})
    results.sweep([2])
    assert [results.read(request_id) for request_id in (1, 2, 3)] == [{}, {"mp3": b"sound"}, {}]


def test_the_pages_of_a_score_are_kept_apart(tmp_path: Path) -> None:
    results = ResultFiles(tmp_path)
    pages = {"png": b"one", "2.png": b"two", "3.png": b"three", "mid": b"notes"}
    results.write(1, pages)
    assert results.read(1) == pages
