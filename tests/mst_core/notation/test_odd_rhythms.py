"""What the readers give is written in every format: odd tuplets, short values, long odd bars."""

from __future__ import annotations

import re
import time
from xml.etree import ElementTree

import pytest

from mst_core.music import Melody
from mst_core.notation.abc import write_abc
from mst_core.notation.layout import lay_out_bars
from mst_core.notation.musicxml import write_musicxml
from mst_core.notation.picture import draw_svg_pages
from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.load import load_score
from tests.support.pictures import count_noteheads

HEAD = "X:1\nT:Odd\nM:{meter}\nL:{unit}\nQ:1/4=100\nK:C\n"

TUNES = {
    "quintuplets": ("4/4", "1/8", "(5:4:5CDEFG A2B2 | c4 (5:4:5gfedc | C8 |]"),
    "septuplets": ("4/4", "1/8", "(7:4:7CDEFGAB c4 | (7:8:7CDEFGAB | C8 |]"),
    "a run of eleven": ("4/4", "1/8", "(11:8:11CDEFGABcdef | C4 (9:8:9CDEFGABcd/ | C8 |]"),
    "64ths and 128ths": ("4/4", "1/64", "CDEF G4 A8 B16 c32 | C/D/E/F/ G2 A4 B8 c16 d32 |]"),
    "nested lengths": ("4/4", "1/8", "(5:4:5C3D/E/FG A4 | (3CDE (5:4:5F/G/A/B/c/ d4 |]"),
    "31/8": ("31/8", "1/8", "C31 | D31 | E16 F15 | G30 A |]"),
    "17/4": ("17/4", "1/4", "C17 | D16 E | z17 | G17 |]"),
    "15/4 with a bar of rest": ("15/4", "1/4", "C15 | z15 | E7 z8 |]"),
    "29/16": ("29/16", "1/16", "C29 | D14 E15 | F29 |]"),
    "25/8": ("25/8", "1/8", "C25 | D12 E13 | F25 |]"),
    "13/4": ("13/4", "1/4", "C13 | z6 D7 |]"),
}


def read(name: str) -> Melody:
    """Return a tune as its reader gives it."""
    meter, unit, music = TUNES[name]
    text = HEAD.format(meter=meter, unit=unit) + music + "\n"
    return load_score("odd.abc", text.encode()).melody


@pytest.mark.parametrize("name", TUNES)
def test_every_format_is_written_within_a_second_and_keeps_each_note(name: str) -> None:
    tune = read(name)
    letters = re.findall("[A-Ga-g]", TUNES[name][2])
    assert len(tune.notes) == len(letters)
    start = time.process_time()
    drawn = sum(map(count_noteheads, draw_svg_pages(tune)))
    abc, xml = write_abc(tune), write_musicxml(tune)
    assert time.process_time() - start < 3  # a second, and the slower machines of others
    bars = lay_out_bars(tune, tuplets=True)
    written = [each for bar in bars for each in bar.notes if each.spelling]
    assert drawn == len(written)
    assert read_abc_score(abc).melody.pitches == tune.pitches
    tree = ElementTree.fromstring(xml)  # noqa: S314  our own file
    sounding = [each for each in tree.iter("note") if each.find("pitch") is not None]
    started = [
        each for each in sounding if "stop" not in {tie.get("type") for tie in each.iter("tie")}
    ]
    assert len(started) == len(tune.notes)


@pytest.mark.parametrize(
    ("music", "ratios"),
    [
        ("(5:4:5CDEFG A2B2 |]", [(5, 4, 8)] * 5),
        ("(5:4:5C/D/E/F/G/ A2B2 z2 |]", [(5, 4, 16)] * 5),
        ("(7:4:7CDEFGAB c4 |]", [(7, 4, 8)] * 7),
        ("(7:8:7CDEFGAB |]", [(7, 4, 4)] * 7),
        ("(11:8:11CDEFGABcdef |]", [(11, 8, 8)] * 11),
        ("(5:4:5CDzFG A4 |]", [(5, 4, 8)] * 5),
    ],
)
def test_a_page_shows_a_tuplet_where_its_notes_were_moved_to_the_grid(
    music: str, ratios: list[tuple[int, int, int]]
) -> None:
    text = HEAD.format(meter="4/4", unit="1/8") + f"C8 | {music}\n"
    tune = load_score("odd.abc", text.encode()).melody
    bar = lay_out_bars(tune, tuplets=True)[1]
    assert bar.length == 4
    found = [each for each in bar.notes if each.triplet is not None]
    assert [(*each.tuplet_ratio, each.denominator) for each in found] == ratios
    (page,) = draw_svg_pages(tune)
    assert page.count('class="tuplet"') == 1
    # In a file each note is where it was moved to.
    moved = [each for each in lay_out_bars(tune)[1].notes if each.triplet is not None]
    assert {each.tuplet_ratio for each in moved} == {(3, 2)}
    assert sum(each.tied_to_next for each in moved) > 0


def test_plain_notes_and_triplets_are_no_other_tuplets() -> None:
    music = "(3CDE (3FGA B/c/d/e/ f2 | C3/2D/ (3E/F/G/ A z4 |]\n"
    text = HEAD.format(meter="4/4", unit="1/8") + music
    tune = load_score("plain.abc", text.encode()).melody
    assert lay_out_bars(tune, tuplets=True) == lay_out_bars(tune)
