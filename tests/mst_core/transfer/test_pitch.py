"""Transfer of pitch: the rhythm and the form of the given tune stay to the tick."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mst_core.music import Key, Melody, Note
from mst_core.networks.style import Style, load_styles, pick_device, use_one_thread
from mst_core.transfer.change_path import ChangePath
from mst_core.transfer.pitch import build_pitch_path, with_pitches
from mst_core.transfer.structure import split_into_bars
from mst_core.transfer.target import PitchTarget
from tests.support.melodies import JIG, REEL, melodies
from tests.support.paths import MODELS

ANY = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
STRENGTHS = [step / 20 for step in range(21)]


@cache
def styles() -> dict[str, Style]:
    use_one_thread()  # as the product does
    return load_styles(MODELS, pick_device("cpu"))


def build(
    melody: Melody, name: str, seed: int = 3, keep: frozenset[int] = frozenset()
) -> ChangePath:
    return build_pitch_path(melody, PitchTarget.from_style(name, styles()), seed=seed, keep=keep)


def version(melody: Melody, path: ChangePath, strength: float = 1.0) -> Melody:
    return with_pitches(melody, path.at(strength)[0])


def rhythm_of(melody: Melody) -> list[tuple[object, object]]:
    return [(note.onset, note.duration) for note in melody.notes]


@ANY
@given(melodies(most_bars=8), st.sampled_from(["folk", "jazz"]), st.integers(0, 10**6))
def test_rhythm_range_and_last_note_stay(melody: Melody, name: str, seed: int) -> None:
    assume(melody.notes)
    result = version(melody, build(melody, name, seed))
    assert rhythm_of(result) == rhythm_of(melody)
    assert min(result.pitches) >= min(melody.pitches)
    assert max(result.pitches) <= max(melody.pitches)
    assert result.pitches[-1] == melody.pitches[-1]
    assert replace(result, notes=melody.notes) == melody


@ANY
@given(melodies(most_bars=8), st.sampled_from(["folk", "jazz"]))
def test_a_stronger_change_starts_from_the_tune_and_is_never_less_similar(
    melody: Melody, name: str
) -> None:
    assume(melody.notes)
    path = build(melody, name)
    versions = [path.at(strength) for strength in STRENGTHS]
    assert tuple(versions[0][0]) == melody.pitches
    for (_, weaker), (_, stronger) in pairwise(versions):
        assert weaker.changed <= stronger.changed
        assert weaker.similarity is not None
        assert stronger.similarity is not None
        assert weaker.similarity <= stronger.similarity
    for pitches, result in versions:
        changed = sum(a != b for a, b in zip(pitches, melody.pitches, strict=True))
        assert result.changed == pytest.approx(changed / len(melody.notes))


def thrice(melody: Melody) -> Melody:
    """A tune, the same four semitones higher, and once more as it was."""
    length = melody.length
    notes = tuple(
        Note(note.onset + turn * length, note.duration, note.pitch + raised)
        for turn, raised in ((0, 0), (1, 4), (2, 0))
        for note in melody.notes
    )
    return replace(melody, notes=notes, bar_count=3 * melody.bar_count, sections=(0,))


@pytest.mark.parametrize("name", ["folk", "jazz"])
@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_repeated_bars_stay_equal_and_transposed_ones_transposed(
    name: str, strength: float
) -> None:
    melody = thrice(REEL)
    result = version(melody, build(melody, name), strength)
    assert result.pitches != melody.pitches
    count = len(REEL.notes)
    first, second, third = (result.pitches[turn * count : (turn + 1) * count] for turn in range(3))
    assert first == third
    assert [pitch + 4 for pitch in first] == list(second)
    places: dict[object, set[object]] = defaultdict(set)
    for before, after in zip(split_into_bars(melody), split_into_bars(result), strict=True):
        places[tuple((n.onset - before.start, n.pitch) for n in before.notes)].add(
            tuple((n.onset - after.start, n.pitch) for n in after.notes)
        )
    assert all(len(after) == 1 for after in places.values())


def test_kept_bars_keep_their_pitches() -> None:
    result = version(REEL, build(REEL, "jazz", keep=frozenset({1, 2})))
    for bar in (1, 2):
        assert split_into_bars(result)[bar].notes == split_into_bars(REEL)[bar].notes
    assert result.pitches != REEL.pitches


def test_the_same_seed_gives_the_same_pitches_and_another_seed_gives_others() -> None:
    one, again, other = (version(JIG, build(JIG, "jazz", seed)) for seed in (5, 5, 6))
    assert one == again != other


def test_one_tune_as_the_target_brings_its_own_intervals() -> None:
    """A reel that only moves by step as the target: fewer leaps than before."""
    walk = [62, 64, 66, 67, 69, 67, 66, 64] * 4
    notes = tuple(replace(note, pitch=p) for note, p in zip(REEL.notes, walk, strict=False))
    walking = replace(REEL, notes=notes)
    leaping = replace(
        REEL,
        notes=tuple(
            replace(note, pitch=62 + 12 * (place % 2)) for place, note in enumerate(REEL.notes)
        ),
    )
    path = build_pitch_path(leaping, PitchTarget.from_tune(walking, styles()), seed=2)

    def leaps(melody: Melody) -> int:
        return sum(abs(b - a) > 4 for a, b in pairwise(melody.pitches))

    assert leaps(version(leaping, path)) < leaps(leaping) / 2


def test_grace_notes_shorter_than_the_grid_get_pitches_too() -> None:
    tiny = Fraction(1, 64)  # quarters, and the networks count in twenty-fourths
    graces = tuple(Note(tiny * place, tiny, 62 + place) for place in range(4))
    rest = tuple(replace(note, onset=note.onset + 4) for note in REEL.notes)
    melody = replace(
        REEL, notes=graces + rest, bar_count=REEL.bar_count + 1, sections=(), repeats=()
    )
    assert rhythm_of(version(melody, build(melody, "jazz"))) == rhythm_of(melody)


@pytest.mark.parametrize("name", ["folk", "chorale"])
@pytest.mark.parametrize("mode", ["minor", "dorian", "mixolydian"])
def test_a_tune_in_a_mode_is_pitched_in_its_mode(mode: str, name: str) -> None:
    major = REEL.key.scale
    key = Key(REEL.key.tonic, mode)
    notes = tuple(
        replace(note, pitch=note.pitch + _alteration(major, key, note.pitch)) for note in REEL.notes
    )
    tune = replace(REEL, notes=notes, key=key)
    versions = [version(tune, build(tune, name, seed)) for seed in range(3)]
    inside = [pitch % 12 in key.scale for each in versions for pitch in each.pitches]
    assert sum(inside) > 0.9 * len(inside)


def _alteration(major: tuple[int, ...], key: Key, pitch: int) -> int:
    """Semitones from a degree of major to the same degree of the parallel key."""
    degree = major.index(pitch % 12)
    return (key.scale[degree] - major[degree] + 6) % 12 - 6
