"""Which rhythm each class of bars gets: shared toward a style of few rhythms, else its own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest

from mst_core.music import Key, Melody, Meter, Note
from mst_core.networks.style import Style, load_styles, pick_device, use_one_thread
from mst_core.transfer.rhythm import build_rhythm_path
from mst_core.transfer.target import RhythmTarget
from tests.support.paths import MODELS

SHAPES = (  # of a solo: eight different rhythms, four of them with five notes
    (0, 12, 36, 48, 84), (0, 36, 48, 72, 84), (0, 24, 36, 48, 60), (0, 8, 16, 24, 60),
    (0, 24, 60, 84), (0, 12, 48, 60), (0, 36, 60, 72), (0, 60, 72, 84),
)  # fmt: skip


@cache
def styles() -> dict[str, Style]:
    use_one_thread()
    return load_styles(MODELS, pick_device("cpu"))


def solo() -> Melody:
    """Eight bars in which no rhythm comes twice, and no two notes of the same pitch meet."""
    notes = []
    for bar, shape in enumerate(SHAPES):
        ends = (*shape[1:], 96)
        for place, (onset, end) in enumerate(zip(shape, ends, strict=True)):
            start = 4 * bar + Fraction(onset, 24)
            notes.append(Note(start, Fraction(end - onset, 24), 60 + bar + place * (bar + 1) % 11))
    return Melody(tuple(notes), Meter(4, 4), Key(0), 120.0, len(SHAPES))


def rhythms_by_note_count(melody: Melody) -> dict[int, set[object]]:
    found: dict[int, set[object]] = defaultdict(set)
    for bar in range(melody.bar_count - 1):  # the last bar ends as the tune does
        rhythm = tuple(
            (n.onset - 4 * bar, n.duration)
            for n in melody.notes
            if 4 * bar <= n.onset < 4 * bar + 4
        )
        found[len(rhythm)].add(rhythm)
    return found


@pytest.mark.parametrize("seed", range(2))
def test_toward_folk_bars_with_as_many_notes_share_their_rhythm(seed: int) -> None:
    target = RhythmTarget.from_style(styles()["folk"], Key(0), styles())
    folk = build_rhythm_path(solo(), target, seed=seed).at(1.0)[0]
    assert [len(each) for each in rhythms_by_note_count(solo()).values()] == [4, 3]
    # A bar that ends in a long note may end otherwise than the others with as many notes.
    assert all(len(each) <= 2 for each in rhythms_by_note_count(folk).values())


def test_bars_of_the_same_pitches_and_other_rhythms_never_become_equal() -> None:
    first, other = SHAPES[0], SHAPES[1]
    notes = []
    for bar, shape in enumerate((first, other, first, other)):
        ends = (*shape[1:], 96)
        for place, (onset, end) in enumerate(zip(shape, ends, strict=True)):
            start = 4 * bar + Fraction(onset, 24)
            notes.append(Note(start, Fraction(end - onset, 24), 60 + 2 * place))
    tune = replace(solo(), notes=tuple(notes), bar_count=4, sections=(0,))
    for name in ("folk", "jazz"):
        target = RhythmTarget.from_style(styles()[name], Key(0), styles())
        changed = build_rhythm_path(tune, target, seed=1).at(1.0)[0]
        bars = [
            [(n.onset - 4 * bar, n.duration) for n in changed.notes[5 * bar : 5 * bar + 5]]
            for bar in range(4)
        ]
        assert bars[0] == bars[2]
        assert bars[1] == bars[3]
        assert bars[0] != bars[1]
