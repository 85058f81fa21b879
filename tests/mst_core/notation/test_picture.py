"""Tests of the score picture: it contains every note, fits the page, and needs no font."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction

import pytest
import resvg_py
from hypothesis import HealthCheck, given, settings

from mst_core.errors import UnwritableRhythm
from mst_core.music import Key, Melody, Meter, MeterChange, Note, Repeat
from mst_core.notation.layout import lay_out_bars
from mst_core.notation.picture import BACKGROUND, FOREGROUND, MAX_HEIGHT, WIDTH, draw_png, draw_svg
from tests.support.melodies import JIG, REEL, SWING_LINE, melodies
from tests.support.pictures import count_noteheads, png_rows, png_size, repeat_tune


@pytest.mark.parametrize("tune", [REEL, JIG, SWING_LINE])
def test_the_picture_contains_every_note_and_tie(tune: Melody) -> None:
    svg = draw_svg(tune)
    written = [each for bar in lay_out_bars(tune) for each in bar.notes]
    assert count_noteheads(svg) == sum(1 for each in written if each.spelling)
    # A tie over a barline may be drawn in two parts, at the end of a line and on the next one.
    over_barline = sum(bar.notes[-1].tied_to_next for bar in lay_out_bars(tune))
    n_ties = sum(each.tied_to_next for each in written)
    assert n_ties <= svg.count('class="tie') <= n_ties + over_barline


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(melodies(changes=True, repeats=True))
def test_any_melody_can_be_drawn(tune: Melody) -> None:
    bars, svg = lay_out_bars(tune), draw_svg(tune)
    written = [each for bar in bars for each in bar.notes]
    assert count_noteheads(svg) == sum(1 for each in written if each.spelling)
    assert "<text" not in svg
    # Endings and meters are drawn again at the start of a line, so there may be more.
    assert svg.count('class="ending') >= sum(bar.starts_ending for bar in bars)
    assert svg.count('class="meterSig') > sum(bar.changes_meter for bar in bars)


@pytest.mark.parametrize(
    "tune", [REEL, JIG, SWING_LINE, repeat_tune(REEL, 4), repeat_tune(SWING_LINE, 8)]
)
def test_a_picture_fits_the_page(tune: Melody) -> None:
    png = draw_png(tune)
    width, height = png_size(png)
    assert width == WIDTH
    assert 200 < height <= MAX_HEIGHT
    assert len(png) < 350_000


def test_three_hundred_bars_fit_the_page() -> None:
    width, height = png_size(draw_png(repeat_tune(SWING_LINE, 38)))
    assert width <= WIDTH
    assert height <= MAX_HEIGHT


def test_the_background_is_dark_and_the_notes_are_light() -> None:
    tune = Melody((Note(Fraction(0), Fraction(4), 71),), Meter(4, 4), Key(0), 120.0, bar_count=1)
    lines = png_rows(draw_png(tune))
    pixels = [line[i : i + 4] for line in lines for i in range(0, len(line), 4)]
    dark, light = (bytes.fromhex(color[1:] + "ff") for color in (BACKGROUND, FOREGROUND))
    assert pixels[0] == pixels[-1] == dark
    assert pixels.count(dark) > 0.85 * len(pixels)
    assert pixels.count(light) > 500
    # All pixels are mixtures of the two: no symbol is black.
    assert min(pixel[0] for pixel in pixels) >= dark[0]


def test_a_picture_contains_no_text_and_needs_no_font() -> None:
    assert not re.search(r"<text|<tspan", draw_svg(SWING_LINE))


def test_lines_have_four_bars_and_sections_begin_new_ones() -> None:
    svg = draw_svg(replace(REEL, sections=(0, 6, 8)))
    lines = svg.split('class="system"')[1:]
    assert [line.count('class="measure"') for line in lines] == [4, 2, 2, 4, 4]


def test_the_same_melody_gives_the_same_picture_in_any_thread() -> None:
    with ThreadPoolExecutor(4) as threads:
        pictures = list(threads.map(draw_png, [JIG, REEL] * 6))
    assert pictures == [draw_png(JIG), draw_png(REEL)] * 6


def test_a_low_tune_is_written_in_the_bass_clef() -> None:
    low = replace(REEL, notes=tuple(replace(n, pitch=n.pitch - 24) for n in REEL.notes))
    assert "E062" in draw_svg(low)
    assert "E062" not in draw_svg(REEL)


REPEATED = replace(REEL, repeats=(Repeat(0, 7, 6, 8), Repeat(8, 16)))
CHANGES = (MeterChange(3, Meter(2, 4)), MeterChange(6, Meter(6, 8)))
CHANGED = replace(JIG, sections=(0,), meter_changes=CHANGES, bar_count=17)


def test_repeats_have_dots_and_endings_have_brackets() -> None:
    svg = draw_svg(REPEATED)
    assert svg.count("#E044-") == 8  # two dots for each of four signs
    assert svg.count('class="voltaBracket') == 2


def test_the_numbers_of_endings_are_outlines() -> None:
    svg = draw_svg(REPEATED)
    bare, numbers = re.subn(r'<g class="text".*?</g>', "", svg)
    assert numbers == 2
    painted, unpainted = (
        png_rows(bytes(resvg_py.svg_to_bytes(svg_string=each, skip_system_fonts=True)))
        for each in (svg, bare)
    )
    changed = [
        (x // 4, y)
        for y, (line, other) in enumerate(zip(painted, unpainted, strict=True))
        for x in range(0, len(line), 4)
        if line[x : x + 4] != other[x : x + 4]
    ]
    assert len(changed) > 100
    first, second = min(changed)[0], max(changed)[0]
    assert second - first > 100  # two numbers, each in its bracket
    assert max(y for _, y in changed) - min(y for _, y in changed) < 40


def test_adjacent_repeats_within_a_line_share_a_sign() -> None:
    tune = replace(REEL, sections=(0,), repeats=(Repeat(0, 2), Repeat(2, 4)))
    assert draw_svg(tune).count("#E044-") == 8


def test_a_meter_change_is_drawn_at_its_bar() -> None:
    assert draw_svg(CHANGED).count('class="meterSig') == 3
    assert draw_svg(JIG).count('class="meterSig') == 1


def test_a_tune_without_notes_can_be_drawn() -> None:
    assert count_noteheads(draw_svg(Melody((), Meter(3, 4), Key(0), 120.0, bar_count=4))) == 0


def test_a_melody_off_the_grid_is_an_error() -> None:
    tune = Melody((Note(Fraction(0), Fraction(1, 5), 60),), Meter(4, 4), Key(0), 120.0, bar_count=1)
    with pytest.raises(UnwritableRhythm):
        draw_svg(tune)
