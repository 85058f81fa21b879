"""Bars that begin an eighth early: where they may, and that nothing of the form breaks."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest

from mst_core.music import Key, Melody, Meter, Note
from mst_core.networks.style import Style, load_styles, pick_device, use_one_thread
from mst_core.transfer.anticipation import LEAD, anticipated_share, led, shortened
from mst_core.transfer.rhythm import RhythmPath, build_rhythm_path
from mst_core.transfer.target import RhythmTarget
from tests.support.paths import MODELS

HALF = Fraction(1, 2)


@cache
def styles() -> dict[str, Style]:
    use_one_thread()
    return load_styles(MODELS, pick_device("cpu"))


def song(bars: str) -> Melody:
    """A tune in 4/4 with six notes a bar; bars of the same letter are equal."""
    ticks = ((0, 24), (24, 12), (36, 12), (48, 24), (72, 12), (84, 12))
    shape = [(Fraction(onset, 24), Fraction(duration, 24)) for onset, duration in ticks]
    notes = [
        Note(
            4 * bar + onset,
            duration,
            60 + (ord(letter) - 90) * (place + 2) ** 2 % 17,
        )
        for bar, letter in enumerate(bars)
        for place, (onset, duration) in enumerate(shape)
    ]
    return Melody(tuple(notes), Meter(4, 4), Key(0), 120.0, len(bars))


@cache
def path(bars: str, style: str = "jazz") -> RhythmPath:
    target = RhythmTarget.from_style(styles()[style], Key(0), styles())
    return build_rhythm_path(song(bars), target, seed=2)


def early_bars(melody: Melody) -> set[int]:
    """The bars whose barline a note is held over from an eighth before."""
    return {
        int(line // 4)
        for line in melody.barlines[1:-1]
        for note in melody.notes
        if note.onset == line - HALF and note.end > line
    }


AABA = "abcdabcdefghabcd"


def test_some_bars_of_a_tune_toward_jazz_begin_an_eighth_early_and_few_do() -> None:
    early = early_bars(path(AABA).at(1.0)[0])
    assert 1 <= len(early) <= 3
    assert not early_bars(path(AABA, "folk").at(1.0)[0])


def test_no_phrase_and_not_the_last_bar_begins_early() -> None:
    early = early_bars(path(AABA).at(1.0)[0])
    assert not early & {0, 4, 8, 12, 15}


@pytest.mark.parametrize("strength", [0.5, 0.8, 1.0])
def test_equal_bars_stay_equal_though_one_of_them_begins_early(strength: float) -> None:
    before, after = song(AABA), path(AABA).at(strength)[0]
    contents = [
        tuple((n.onset - start, n.duration, n.pitch) for n in after.notes if start <= n.onset < end)
        for start, end in pairwise(after.barlines)
    ]
    same: dict[str, list[int]] = defaultdict(list)
    for bar, letter in enumerate(AABA):
        same[letter].append(bar)
    for places in same.values():
        assert len({contents[place] for place in places}) == 1
    assert after.pitches == before.pitches
    assert all(a.end <= b.onset for a, b in pairwise(after.notes))


def test_a_bar_does_not_begin_early_where_the_one_before_it_is_followed_by_another_too() -> None:
    early = early_bars(path("abcdaecdabfdghij").at(1.0)[0])
    assert not early & {1, 5, 9}  # after a comes b, e and b


def test_a_kept_bar_is_not_begun_into() -> None:
    target = RhythmTarget.from_style(styles()["jazz"], Key(0), styles())
    keep = frozenset(range(0, 16, 2))
    after = build_rhythm_path(song("abcdefghijklmnop"), target, seed=2, keep=keep).at(1.0)[0]
    assert not early_bars(after)


def test_the_pair_of_an_early_note_and_the_bar_before_it_leaves_no_gap() -> None:
    bar = ((Fraction(0), Fraction(2)), (Fraction(2), Fraction(2)))
    assert shortened(bar, Fraction(4)) == (bar[0], (Fraction(2), Fraction(3, 2)))
    assert led(bar) == ((-LEAD, Fraction(5, 2)), bar[1])


def test_solos_begin_bars_early_and_dances_do_not() -> None:
    jazz, folk = (styles()[name].statistics.meters["4/4"] for name in ("jazz", "folk"))
    assert anticipated_share(jazz, 96) > 0.05
    assert anticipated_share(folk, 96) < 0.01
