"""The examples of docs/api.md and of the package docstrings run as they are printed."""

from __future__ import annotations

import doctest
from pathlib import Path

import mst_core
from tests.support.corpus import write_corpus
from tests.support.paths import PROJECT


def test_the_examples_of_the_api_page_run_as_printed(tmp_path: Path) -> None:
    values = {
        "corpus": write_corpus(tmp_path / "dances.jsonl"),
        "models_dir": tmp_path / "models",
        "checkpoint_dir": tmp_path / "runs",
    }
    failed, tried = doctest.testfile(
        str(PROJECT / "docs" / "api.md"), module_relative=False, globs=values
    )
    assert tried > 15
    assert failed == 0


def test_the_example_of_the_core_package_runs_as_printed() -> None:
    failed, tried = doctest.testmod(mst_core)
    assert (failed, tried > 3) == (0, True)
