"""Tests of the bars of a page: silent ones are joined, long ones divided."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings

from mst_core.music import ChordSymbol, Key, Melody, Meter, Note
from mst_core.notation.layout import lay_out_bars
from mst_core.notation.page_bars import fit_bars_to_page
from mst_core.notation.picture import draw_svg_pages
from tests.support.melodies import REEL, melodies
from tests.support.pictures import count_noteheads


def test_silent_bars_in_a_row_are_joined_up_to_the_next_sign() -> None:
    tune = replace(line_of_bars(sounding={0, 8, 19}, count=20), sections=(0, 14))
    joined = fit_bars_to_page(lay_out_bars(tune))
    # Bars 2 to 8; 10 to 14; bar 15 begins a section, and so 16 to 19 are joined.
    assert [(bar.number, bar.silent_bars) for bar in joined] == [
        (1, 1),
        (2, 7),
        (9, 1),
        (10, 5),
        (15, 1),
        (16, 4),
        (20, 1),
    ]
    assert joined[3].right_barline == "double"


def test_three_silent_bars_and_bars_with_chord_symbols_are_not_joined() -> None:
    tune = line_of_bars(sounding={0, 4, 10}, count=11)
    chord = ChordSymbol(Fraction(4 * 7), "Am")
    bars = lay_out_bars(replace(tune, chords=(chord,)))
    assert fit_bars_to_page(bars) == list(bars)


def line_of_bars(*, sounding: set[int], count: int) -> Melody:
    """Return a melody of 4/4 with a whole note in some bars."""
    notes = tuple(Note(Fraction(4 * bar), Fraction(4), 67) for bar in sorted(sounding))
    return Melody(notes, Meter(4, 4), Key(0), 120.0, bar_count=count)


def run_of(count: int, meter: Meter) -> Melody:
    """Return a run of sixteenths, up and down."""
    notes = tuple(Note(Fraction(i, 4), Fraction(1, 4), 60 + abs(i % 24 - 12)) for i in range(count))
    bars = -(-Fraction(count, 4) // meter.bar_length)
    return Melody(notes, meter, Key(0), 120.0, bar_count=int(bars))


def test_a_bar_of_many_notes_is_drawn_in_pieces_without_barlines() -> None:
    tune = run_of(128, Meter(8, 1))
    pieces = fit_bars_to_page(lay_out_bars(tune))
    assert [len(piece.notes) for piece in pieces] == [16] * 8
    assert [piece.right_barline for piece in pieces] == ["none"] * 7 + ["final"]
    assert [piece.continues_bar for piece in pieces] == [False] + [True] * 7
    assert sum((piece.length for piece in pieces), Fraction(0)) == 32
    (page,) = draw_svg_pages(tune)
    assert count_noteheads(page) == 128
    assert len(re.findall('class="system"', page)) >= 2
    assert "mNum" not in page.replace("g.mNum", "")  # the pieces have no numbers of their own


def test_a_chord_symbol_is_above_its_piece() -> None:
    tune = replace(run_of(128, Meter(8, 1)), chords=(ChordSymbol(Fraction(9), "Am"),))
    pieces = fit_bars_to_page(lay_out_bars(tune))
    assert [piece.chords for piece in pieces[:4]] == [(), (), ((Fraction(9), "Am"),), ()]


def test_ordinary_bars_stay_as_they_are() -> None:
    bars = lay_out_bars(REEL)
    assert fit_bars_to_page(bars) == list(bars)


@settings(deadline=None, max_examples=60)
@given(melodies(meters=("4/4", "31/8", "17/4", "8/1"), changes=True, repeats=True))
def test_no_note_is_lost_and_no_length(tune: Melody) -> None:
    bars = lay_out_bars(tune, tuplets=True)
    fitted = fit_bars_to_page(bars)
    kept = [note for bar in fitted for note in bar.notes if note.spelling]
    assert kept == [note for bar in bars for note in bar.notes if note.spelling]
    lengths = sum((bar.length * bar.silent_bars for bar in fitted), Fraction(0))
    assert lengths == sum((bar.length for bar in bars), Fraction(0))


def test_a_bar_of_hundreds_of_notes_is_drawn_at_once() -> None:
    tune = run_of(500, Meter(32, 1))
    start = time.process_time()
    pages = draw_svg_pages(tune)
    assert time.process_time() - start < 3  # in one piece it took four seconds and was a blot
    assert sum(map(count_noteheads, pages)) == 500
