"""Paths of the checkout that tests read: the project, its shipped styles, kept hostile files."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
MODELS = PROJECT / "models"
CASES = PROJECT / "tests" / "cases"
