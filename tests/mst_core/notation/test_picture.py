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
from mst_core.music import (
    ChordSymbol,
    GraceNotes,
    Key,
    KeyChange,
    Melody,
    Meter,
    MeterChange,
    Note,
    Repeat,
    TempoChange,
)
from mst_core.notation.engraving import DARK, LIGHT, PAGE_HEIGHT, WIDTH, rasterize
from mst_core.notation.layout import lay_out_bars
from mst_core.notation.picture import draw_svg_pages
from tests.support.melodies import JIG, REEL, SWING_LINE, melodies
from tests.support.pictures import count_noteheads, png_rows, png_size, repeat_tune


def draw_svg(tune: Melody) -> str:
    """Return the one page of a short tune."""
    (page,) = draw_svg_pages(tune)
    return page


def draw_png(tune: Melody) -> bytes:
    """Return the one page of a short tune."""
    (page,) = draw_svg_pages(tune)
    return rasterize(page)


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
    ("tune", "pages"),
    [(REEL, 1), (JIG, 1), (SWING_LINE, 1), (repeat_tune(REEL, 4), 2), (repeat_tune(JIG, 10), 4)],
)
def test_every_page_has_the_width_and_at_most_the_height_of_a_sheet(
    tune: Melody, pages: int
) -> None:
    pngs = [rasterize(page) for page in draw_svg_pages(tune)]
    assert len(pngs) == pages
    for png in pngs:
        width, height = png_size(png)
        assert width == WIDTH
        assert 150 < height <= PAGE_HEIGHT
        assert len(png) < 350_000


def test_a_long_tune_keeps_the_size_of_its_notes_and_goes_on_on_the_next_page() -> None:
    long = repeat_tune(SWING_LINE, 38)
    pages = draw_svg_pages(long)
    assert sum(page.count('class="measure"') for page in pages) == long.bar_count
    # The view box says how much the page is scaled.
    (short_scale,) = {scale_of(draw_svg(SWING_LINE))}
    assert {scale_of(page) for page in pages} == {short_scale}


def scale_of(svg: str) -> int:
    """Return the units of an engraved page to a thousand pixels."""
    found = re.search(r'class="definition-scale"[^>]* viewBox="0 0 (\d+) ', svg)
    assert found
    return int(found[1])


def test_the_background_is_dark_and_the_notes_are_light() -> None:
    tune = Melody((Note(Fraction(0), Fraction(4), 71),), Meter(4, 4), Key(0), 120.0, bar_count=1)
    lines = png_rows(draw_png(tune))
    pixels = [line[i : i + 4] for line in lines for i in range(0, len(line), 4)]
    dark, light = (bytes.fromhex(color[1:] + "ff") for color in (DARK.background, DARK.foreground))
    assert pixels[0] == pixels[-1] == dark
    assert pixels.count(dark) > 0.85 * len(pixels)
    assert pixels.count(light) > 500
    # All pixels are mixtures of the two: no symbol is black.
    assert min(pixel[0] for pixel in pixels) >= dark[0]


@pytest.mark.parametrize("title", ["", "Reel in D", "“Ça ira”, no. 5 & <b>", "Смуглянка", "Λόγος"])
def test_a_picture_contains_no_text_and_needs_no_font(title: str) -> None:
    (svg,) = draw_svg_pages(SWING_LINE, title=title)
    assert not re.search(r"<text|<tspan|@font-face", svg)


def heading_of(svg: str) -> list[tuple[str, str]]:
    """Return the outlines that a heading uses: font and code point."""
    heading = svg.split('class="heading"', 1)[1]
    return re.findall(r'href="#(\w+(?:-\w+)*)-([0-9a-fA-F]+)"', heading)


def words_of(svg: str) -> str:
    """Return the words of a heading in the order in which they are written."""
    return "".join(chr(int(code, 16)) for _, code in heading_of(svg))


def test_title_and_tempo_are_above_the_first_staff_and_the_number_above_each_page() -> None:
    first, second = draw_svg_pages(repeat_tune(JIG, 4), title="The  Jig\nof Slurs")
    assert words_of(first) == "1/2\ueca5\uecb7=120TheJigofSlurs"
    assert words_of(second) == "2/2TheJigofSlurs"


def test_the_tempo_counts_the_beats_of_the_meter() -> None:
    line = Melody((Note(Fraction(0), Fraction(1), 71),), Meter(2, 2), Key(0), 132.5, bar_count=2)
    assert words_of(draw_svg(line)) == "\ueca3=66"
    assert words_of(draw_svg(replace(line, meter=Meter(3, 8)))) == "\ueca7=265"


def test_a_long_title_is_cut_and_stays_between_the_margins() -> None:
    (svg,) = draw_svg_pages(REEL, title="A very long title " * 20)
    assert words_of(svg).endswith("…")
    assert len(words_of(svg)) < 60
    rows = png_rows(rasterize(svg))
    background = bytes.fromhex(DARK.background[1:] + "ff")
    assert all(row[:80] == background * 20 and row[-80:] == background * 20 for row in rows[:70])


def test_letters_that_no_font_has_stay_text() -> None:
    (svg,) = draw_svg_pages(REEL, title="茉莉花 Mo Li Hua")
    assert re.findall(r"<text[^>]*>([^<]*)</text>", svg) == ["茉莉花"]
    assert words_of(svg).endswith("MoLiHua")


def test_every_line_but_the_first_begins_with_the_number_of_its_bar() -> None:
    svg = draw_svg(JIG)  # it begins with a pickup
    numbers = re.findall(r'class="mNum[^"]*">\s*<g class="text">(.*?)</g>', svg, re.DOTALL)
    codes = ["".join(chr(int(each, 16)) for each in re.findall(r"-(3\d)\"", n)) for n in numbers]
    assert codes == ["5", "9", "13"]


def test_a_light_page_is_black_on_white() -> None:
    (svg,) = draw_svg_pages(JIG, title="Jig", theme=LIGHT)
    rows = png_rows(rasterize(svg))
    pixels = [row[i : i + 4] for row in rows for i in range(0, len(row), 4)]
    assert pixels[0] == b"\xff\xff\xff\xff"
    assert pixels.count(b"\x00\x00\x00\xff") > 500
    assert DARK.foreground not in svg


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
    bare, numbers = re.subn(r'(<g class="voltaBracket">\s*)<g class="text">.*?</g>', r"\1", svg)
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


DECORATED = replace(
    REEL,
    chords=tuple(ChordSymbol(Fraction(at), text) for text, at in (("D", 0), ("F#m7b5/Bb", 5))),
    grace_notes=(GraceNotes(0, (81,)), GraceNotes(4, (81,)), GraceNotes(10, (81, 83, 80))),
    key_changes=(KeyChange(8, Key.parse("F#")), KeyChange(12, Key.parse("Bbm"))),
    tempo_changes=(TempoChange(Fraction(0), 120.0), TempoChange(Fraction(32), 90.0)),
)


def texts_of(svg: str, kind: str) -> list[str]:
    """Return the words of a kind of sign, such as chord symbols."""
    groups = re.findall(rf'class="{kind}">\s*<g class="text">(.*?)</g>', svg, re.DOTALL)
    return [
        "".join(chr(int(code, 16)) for code in re.findall(r'-([0-9a-fA-F]+)"', group))
        for group in groups
    ]


def test_chord_symbols_are_above_the_staff_with_sharps_and_flats() -> None:
    assert texts_of(draw_svg(DECORATED), "harm") == ["D", "F♯m7♭5/B♭"]


def test_a_tempo_on_the_way_is_above_its_bar() -> None:
    svg = draw_svg(DECORATED)
    assert words_of(svg) == "\ueca5=120"
    assert texts_of(svg, "tempo") == ["\ueca5=90"]


def test_a_tempo_that_looks_like_the_one_before_is_not_drawn_again() -> None:
    marks = ((0, 120.0), (4, 99.0), (8, 99.3), (12, 120.0))
    changing = replace(
        REEL, tempo_changes=tuple(TempoChange(Fraction(at), tempo) for at, tempo in marks)
    )
    assert texts_of(draw_svg(changing), "tempo") == ["\ueca5=99", "\ueca5=120"]


def test_every_ornament_has_a_head_and_a_stem() -> None:
    svg = draw_svg(DECORATED)
    written = [each for bar in lay_out_bars(DECORATED) for each in bar.notes if each.spelling]
    assert count_noteheads(svg) == len(written) + 5
    quarters_and_shorter = sum(each.denominator >= 2 for each in written)
    assert svg.count('class="stem') == quarters_and_shorter + 5


def test_a_key_on_the_way_is_drawn_at_its_bar() -> None:
    svg = draw_svg(DECORATED)
    # Two sharps; then six on their line and before it; then five flats likewise.
    lines = svg.split('class="system"')[1:]
    assert [line.count('class="keyAccid') for line in lines] == [2, 2 + 6, 6 + 5, 5]


def lines_of(tune: Melody) -> list[int]:
    """Return the number of bars of each line of the first page."""
    page, *_ = draw_svg_pages(tune)
    return [line.count('class="measure"') for line in page.split('class="system"')[1:]]


def test_lines_with_few_dense_bars_are_filled_evenly() -> None:
    run = [Note(Fraction(i, 12), Fraction(1, 12), 60 + i % 12) for i in range(45)]
    held = [Note(Fraction(4 * bar), Fraction(4), 67) for bar in range(1, 16)]
    tune = Melody((*run, *held), Meter(4, 4), Key(0), 120.0, bar_count=16)
    lines = lines_of(tune)
    assert lines[0] <= 2  # the run fills a line
    assert all(3 <= count <= 4 for count in lines[1:])


def test_a_section_of_one_bar_shares_the_line_of_the_next() -> None:
    assert lines_of(replace(REEL, sections=(0, 4, 5, 9))) == [4, 5, 4, 3]


def test_a_mode_with_the_same_signature_is_not_drawn_again() -> None:
    minor = replace(REEL, key_changes=(KeyChange(2, Key.parse("Bm")),))
    assert draw_svg(minor).count('class="keyAccid') == draw_svg(REEL).count('class="keyAccid')
