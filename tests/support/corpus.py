"""A tiny style for tests: twenty-odd made-up dances and an untrained or hardly trained pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

SCALE = (62, 64, 66, 67, 69, 71, 73, 74, 76, 78, 79)


def dance(number: int) -> dict[str, Any]:
    """A corpus line: eight bars of eighths and quarters in 2/4, its second half like its first."""
    draw = np.random.default_rng(number)
    step, phrase = 5, []
    for _ in range(4):
        for values in (((1, 1, 1, 1), (2, 1, 1), (1, 1, 2))[int(draw.integers(3))],):
            for value in values:
                step = int(np.clip(step + draw.integers(-2, 3), 0, len(SCALE) - 1))
                phrase.append((SCALE[step], value))
    notes, onset = [], 0
    for pitch, halves in [*phrase, *phrase[:-1], (62, phrase[-1][1])]:
        notes.append([pitch, f"{onset}/2", f"{halves}/2"])
        onset += halves
    return {
        "id": f"dance-{number}",
        "title": f"dance number {chr(97 + number % 26)}{chr(97 + number // 26)}",
        "meter": "2/4",
        "key": "Dmaj",
        "notes": notes,
        "bar_starts": [str(2 * bar) for bar in range(8)],
        "pickup": "0",
    }


def write_corpus(path: Path, tunes: int = 60) -> Path:
    """Write a corpus of so many dances."""
    path.write_text("".join(json.dumps(dance(number)) + "\n" for number in range(tunes)))
    return path
