"""A small corpus for tests: made-up dances as corpus lines and files, and tunes from bare notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mst_core.corpora.tunes import CorpusTune, TuneEvent, parse_tune
from mst_core.music import Key, Meter

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
    """Write a corpus of ``tunes`` dances, and return its path."""
    path.write_text("".join(json.dumps(dance(number)) + "\n" for number in range(tunes)))
    return path


def make_tune(notes: list[tuple[int, int]], *, name: str = "tune") -> CorpusTune:
    """Make a tune in 4/4 of (MIDI pitch, duration in ticks), from the first downbeat on."""
    events, now = [], 0
    for pitch, ticks in notes:
        events.append(TuneEvent(pitch, now, ticks))
        now += ticks
    bars = tuple(range(0, max(now, 1), 96))
    return CorpusTune(name, name, Meter(4, 4), Key(0), tuple(events), bars)


TUNES = st.lists(
    st.tuples(st.integers(55, 80), st.sampled_from([3, 6, 8, 12, 18, 24, 36, 48])),
    min_size=12,
    max_size=60,
).map(make_tune)
"""Random tunes in 4/4 of 12 to 60 notes."""


DANCES = tuple(parse_tune(dance(number)) for number in range(60))
"""The tunes of `write_corpus`."""
