"""Tests of the picture before and after: changed notes, letters of repeated bars, alignment."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings

from mst_core.errors import UnwritableRhythm
from mst_core.music import Melody, Meter, Note
from mst_core.notation.before_after import (
    CHANGED_COLOR,
    MAX_BARS,
    MAX_HEIGHT,
    changed_notes,
    draw_before_after_svg,
    find_repeated_bars,
)
from mst_core.notation.engraving import WIDTH, rasterize
from mst_core.notation.layout import WrittenBar, lay_out_bars
from tests.support.melodies import JIG, REEL, SWING_LINE, melodies
from tests.support.pictures import count_noteheads, png_size, repeat_tune


def swung(tune: Melody, bars: set[int]) -> Melody:
    """Return the tune with the first two eighths of some bars as long and short."""
    notes = list(tune.notes)
    for place, (first, second) in enumerate(pairwise(notes)):
        bar = first.onset // tune.meter.bar_length
        even = first.duration == second.duration == Fraction(1, 2)
        if bar in bars and first.onset == bar * tune.meter.bar_length and even:
            notes[place] = replace(first, duration=Fraction(3, 4))
            notes[place + 1] = replace(
                second, onset=second.onset + Fraction(1, 4), duration=Fraction(1, 4)
            )
    return replace(tune, notes=tuple(notes))


def heads(bars: tuple[WrittenBar, ...]) -> int:
    """Return the number of note heads in the bars that are drawn."""
    drawn = (bar for bar in bars if bar.number <= MAX_BARS)
    return sum(1 for bar in drawn for each in bar.notes if each.spelling)


def orange_heads(svg: str) -> int:
    """Return the number of orange notes."""
    return len(re.findall(rf'class="note" color="{CHANGED_COLOR}"', svg))


def letters(svg: str) -> list[tuple[str, bool]]:
    """Return each letter above a bar in order, and whether it is bright."""
    marks = re.findall(r'<g id="(?:same|lost)([A-P])-\d+"( color="#\w+")?', svg)
    return [(letter, not color) for letter, color in marks]


def test_both_tunes_are_drawn_with_aligned_bars() -> None:
    svg = draw_before_after_svg(REEL, swung(REEL, {0, 4}))
    assert count_noteheads(svg) == heads(lay_out_bars(REEL)) + heads(
        lay_out_bars(swung(REEL, {0, 4}))
    )
    assert svg.count('class="measure"') == 16
    assert svg.count('class="staff"') == 32
    assert not re.search(r"<text|<tspan", svg)


def test_only_changed_notes_are_orange() -> None:
    after = swung(REEL, {0, 4, 9})
    assert changed_notes(REEL, after) == {0, 1, 31, 32}  # bar 9 begins with a quarter
    assert orange_heads(draw_before_after_svg(REEL, after)) == 4
    assert CHANGED_COLOR not in draw_before_after_svg(REEL, REEL)


def test_a_note_with_a_new_pitch_is_changed() -> None:
    notes = list(REEL.notes)
    notes[5] = replace(notes[5], pitch=notes[5].pitch + 1)
    assert changed_notes(REEL, replace(REEL, notes=tuple(notes))) == {5}


def test_with_another_note_count_notes_are_compared_within_their_bar() -> None:
    fewer = replace(REEL, notes=REEL.notes[:3] + REEL.notes[4:])
    assert changed_notes(REEL, fewer) == frozenset()
    more = replace(
        fewer, notes=(*fewer.notes[:3], Note(Fraction(3, 2), Fraction(1, 2), 90), *fewer.notes[3:])
    )
    assert changed_notes(REEL, more) == {3}


def test_equal_bars_have_the_same_letter() -> None:
    assert find_repeated_bars(REEL, 16) == {0: 0, 4: 0, 1: 1, 5: 1, 8: 8, 12: 8, 9: 9, 13: 9}
    marks = letters(draw_before_after_svg(REEL, swung(REEL, {0, 4})))
    assert len(marks) == 8
    assert all(bright for _, bright in marks)
    assert marks[0] == marks[2] != marks[1] == marks[3]


def test_a_bar_that_no_longer_repeats_has_a_dark_letter() -> None:
    marks = letters(draw_before_after_svg(REEL, swung(REEL, {4})))
    assert [bright for _, bright in marks] == [True, True, False, *[True] * 5]


def test_a_long_tune_is_cut_after_32_bars_with_a_single_barline() -> None:
    long = repeat_tune(REEL, 3)
    svg = draw_before_after_svg(long, long)
    assert svg.count('class="measure"') == MAX_BARS
    width, height = png_size(rasterize(svg, height=MAX_HEIGHT))
    assert (width, height <= MAX_HEIGHT) == (WIDTH, True)
    ended, cut = draw_before_after_svg(REEL, REEL), svg
    assert ended.split('class="barLine')[-1].count("<path") > cut.split('class="barLine')[-1].count(
        "<path"
    )


def test_a_jig_is_drawn_with_its_bars_in_4_4() -> None:
    scale = Fraction(4, 3)
    notes = (replace(n, onset=n.onset * scale, duration=n.duration * scale) for n in JIG.notes)
    after = replace(JIG, notes=tuple(notes), meter=Meter(4, 4))
    svg = draw_before_after_svg(JIG, after)
    assert svg.count('class="meterSig') == 2
    assert orange_heads(svg) == heads(lay_out_bars(after))


def test_a_comparison_fits_the_page_and_is_deterministic() -> None:
    after = swung(SWING_LINE, {0, 1, 2})
    svg = draw_before_after_svg(SWING_LINE, after)
    png = rasterize(svg, height=MAX_HEIGHT)
    assert png_size(png)[0] == WIDTH
    assert png_size(png)[1] <= MAX_HEIGHT
    assert svg == draw_before_after_svg(SWING_LINE, after)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(melodies(changes=True, repeats=True), melodies(repeats=True))
def test_any_two_melodies_can_be_drawn(before: Melody, after: Melody) -> None:
    svg = draw_before_after_svg(before, after)
    assert not re.search(r"<text|<tspan", svg)
    assert count_noteheads(svg) >= heads(lay_out_bars(before))


def test_a_melody_off_the_grid_is_an_error() -> None:
    off = replace(REEL, notes=(Note(Fraction(0), Fraction(1, 5), 60), *REEL.notes[1:]))
    with pytest.raises(UnwritableRhythm):
        draw_before_after_svg(REEL, off)
