"""Tests of the PDF file: its structure, its pages and what is painted on them."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

from mst_core.notation.before_after import CHANGED_COLOR, draw_before_after_svg
from mst_core.notation.engraving import LIGHT
from mst_core.notation.pdf import write_pdf
from mst_core.notation.picture import draw_svg_pages
from tests.support.melodies import JIG, REEL
from tests.support.pictures import repeat_tune


def streams(pdf: bytes) -> list[str]:
    """Return the contents of a PDF file: those of its pages, then its glyphs."""
    found = re.findall(rb"/Length (\d+) /Filter /FlateDecode >>\nstream\n", pdf)
    contents, place = [], 0
    for length in map(int, found):
        place = pdf.index(b"stream\n", place) + len(b"stream\n")
        contents.append(zlib.decompress(pdf[place : place + length]).decode("ascii"))
        place += length + len(b"\nendstream")
    return contents


def test_every_page_is_one_of_the_file_and_the_table_finds_every_object() -> None:
    pages = draw_svg_pages(repeat_tune(JIG, 4), title="Jig", theme=LIGHT)
    pdf = write_pdf(pages, title="Jig „ж“")
    assert pdf.startswith(b"%PDF-1.4")
    assert pdf.count(b"/Type /Page ") == len(pages) == 2
    table = pdf.index(b"xref\n")
    assert pdf.rstrip().endswith(b"startxref\n%d\n%%%%EOF" % table)
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", pdf), start=1):
        assert pdf[int(place) :].startswith(b"%d 0 obj" % number)
    title = re.search(rb"/Title <([0-9a-f]+)>", pdf)
    assert title
    assert bytes.fromhex(title[1].decode()) == b"\xfe\xff" + "Jig „ж“".encode("utf-16-be")
    assert pdf == write_pdf(pages, title="Jig „ж“")


def test_a_page_paints_every_note_head_beam_and_stem_with_a_glyph_or_a_path() -> None:
    (svg,) = draw_svg_pages(REEL, title="Reel", theme=LIGHT)
    pdf = write_pdf([svg])
    page, *glyphs = streams(pdf)
    assert len(re.findall(r"/G\d+ Do", page)) == svg.count("<use")
    assert len({*re.findall(r"/(G\d+) Do", page)}) == len(glyphs)
    # Staff lines, stems and beams: every path is painted, and the state is restored after it.
    assert len(re.findall(r"^[BSf]$", page, re.MULTILINE)) >= svg.count("<polygon")
    assert page.split().count("q") == page.split().count("Q")
    assert all(re.search(r" c\n", glyph) for glyph in glyphs[:3])
    assert all(len(stream) > 10 for stream in glyphs)


def test_the_colours_of_a_comparison_are_kept() -> None:
    raised = tuple(replace(note, pitch=note.pitch + 2) for note in REEL.notes)
    changed = replace(REEL, notes=raised)
    (page, *_) = streams(write_pdf([draw_before_after_svg(REEL, changed, theme=LIGHT)]))
    orange = " ".join(f"{int(CHANGED_COLOR[at : at + 2], 16) / 255:.3g}" for at in (1, 3, 5))
    assert f"{orange} rg" in page
    assert f"{orange} RG" in page
