"""Tests of the MusicXML writer: music21 and verovio read its files."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest
import verovio
from hypothesis import HealthCheck, given, settings
from music21 import converter, note, stream

from mst_core.music import (
    ChordSymbol,
    GraceNotes,
    Key,
    KeyChange,
    Melody,
    Meter,
    MeterChange,
    TempoChange,
)
from mst_core.notation.layout import lay_out_bars
from mst_core.notation.musicxml import write_musicxml
from tests.support.melodies import JIG, JIG_WITH_REPEATS, REEL, SWING_LINE, melodies, sounding

SLOW = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])


def parsed(tune: Melody) -> stream.Score:
    score = converter.parse(write_musicxml(tune, title="A tune"), format="musicxml")
    assert isinstance(score, stream.Score)
    return score


@SLOW
@given(melodies(most_bars=3, changes=True, repeats=True))
def test_a_musicxml_file_reads_back_as_the_same_notes(tune: Melody) -> None:
    part = parsed(tune).parts[0]
    written = lay_out_bars(tune)
    lengths: list[Fraction] = []
    notes: list[tuple[int, Fraction, int]] = []  # of which bar, how long, how high
    for measure, bar in zip(part.getElementsByClass(stream.Measure), written, strict=True):
        assert measure.number == bar.number
        inside = Fraction(0)
        for each in measure.notesAndRests:
            length = Fraction(each.quarterLength).limit_denominator(24)
            if isinstance(each, note.Note):
                if each.tie and each.tie.type in ("stop", "continue"):
                    begun, duration, pitch = notes.pop()
                    assert pitch == each.pitch.midi
                    notes.append((begun, duration + length, pitch))
                else:
                    notes.append((bar.number, length, each.pitch.midi))
            inside += length
        lengths.append(inside)
    assert lengths == [bar.length for bar in written]
    lines = (-tune.meter.bar_length, *tune.barlines)
    assert notes == [
        (bisect_right(lines, onset) - 1, duration, pitch)
        for onset, duration, pitch in sounding(tune.notes)
    ]


def test_musicxml_contains_meter_changes_and_repeats() -> None:
    tune = replace(JIG_WITH_REPEATS, meter_changes=(MeterChange(15, Meter(3, 4)),))
    text = write_musicxml(tune).decode()
    assert re.findall("<beats>(.)</beats>", text) == ["6", "3"]
    assert re.findall('<repeat direction="(.*?)"', text) == [
        "forward",
        "backward",
        "forward",
        "backward",
    ]
    assert re.findall('<ending number="(.)" type="(.*?)"', text) == [
        ("1", "start"),
        ("1", "stop"),
        ("2", "start"),
        ("2", "stop"),
    ]
    # The bar of the first repeat sign is written in two parts, and shown as one.
    assert re.findall('<measure implicit="yes" number="(.*?)"', text) == ["0", "8", "8b"]


def test_musicxml_contains_no_name_and_no_date_and_is_deterministic() -> None:
    first, second = write_musicxml(JIG), write_musicxml(JIG)
    assert first == second
    assert b"usic21" not in first
    assert b"encoding-date" not in first


def test_musicxml_contains_key_meter_tempo_and_barlines() -> None:
    text = write_musicxml(SWING_LINE, title="After <Nine>").decode()
    assert "<fifths>-2</fifths>" in text
    assert "<mode>major</mode>" in text
    assert "<beats>4</beats>" in text
    assert "<per-minute>168</per-minute>" in text
    assert "<work-title>After &lt;Nine&gt;</work-title>" in text
    assert text.count("<bar-style>light-light</bar-style>") == 1
    assert text.count("<bar-style>light-heavy</bar-style>") == 1
    assert len(re.findall('<tuplet [^>]*type="start"', text)) == 3
    assert len(re.findall('<tuplet [^>]*type="stop"', text)) == 3


def test_the_pickup_is_measure_0() -> None:
    text = write_musicxml(JIG).decode()
    assert '<measure implicit="yes" number="0">' in text
    assert text.count("<measure ") == 17


@pytest.mark.parametrize("tune", [REEL, JIG, SWING_LINE])
def test_verovio_engraves_every_note_of_the_musicxml(tune: Melody) -> None:
    engraver = verovio.toolkit()
    engraver.setOptions({"pageHeight": 60000})
    assert engraver.loadData(write_musicxml(tune).decode())
    heads = engraver.renderToSVG(1).count('class="notehead"')
    written = [each for bar in lay_out_bars(tune) for each in bar.notes]
    assert heads == sum(1 for each in written if each.spelling)


def decorated() -> Melody:
    """Return a reel with chord symbols, ornaments, keys and tempos on the way."""
    chords = (("D", 0), ("F#m7b5/E", 5), ("Bb", 8), ("N.C.", 10), ("A13b9", 12))
    return replace(
        REEL,
        chords=tuple(ChordSymbol(Fraction(onset), text) for text, onset in chords),
        grace_notes=(GraceNotes(4, (81,)), GraceNotes(10, (81, 83, 80))),
        key_changes=(KeyChange(8, Key.parse("F#")), KeyChange(12, Key.parse("Bbm"))),
        tempo_changes=(TempoChange(Fraction(0), 120.0), TempoChange(Fraction(32), 90.0)),
    )


def test_musicxml_contains_chord_symbols_with_root_kind_and_bass() -> None:
    tree = ElementTree.fromstring(write_musicxml(decorated()))  # noqa: S314  our own file
    symbols = [
        (
            harmony.findtext("root/root-step"),
            harmony.findtext("root/root-alter", "0"),
            harmony.findtext("kind"),
            "".join(kind.get("text", "") for kind in harmony.iter("kind")),
            harmony.findtext("bass/bass-step"),
        )
        for harmony in tree.iter("harmony")
    ]
    assert [symbol for symbol in symbols if symbol[2] != "none"] == [
        ("D", "0", "major", "", None),
        ("F", "1", "half-diminished", "m7b5", "E"),
        ("B", "-1", "major", "", None),
        ("A", "0", "other", "13b9", None),
    ]
    assert [symbol[2] for symbol in symbols].count("none") == 1
    # The second symbol stands before the third beat of bar 2, and so before its note.
    second = tree.findall(".//measure")[1]
    assert [each.tag for each in second if each.tag in ("note", "harmony")][:4] == [
        "note",
        "note",
        "harmony",
        "note",
    ]


def test_musicxml_contains_ornaments_keys_and_tempos_on_the_way() -> None:
    tune = decorated()
    score = parsed(tune)
    graces = [each for each in score.recurse().notes if each.duration.isGrace]
    assert [each.pitch.midi for each in graces if isinstance(each, note.Note)] == [81, 81, 83, 80]
    plain = [
        each.pitch.midi
        for each in score.recurse().notes
        if isinstance(each, note.Note) and not each.duration.isGrace
    ]
    assert tuple(plain) == tune.pitches
    text = write_musicxml(tune).decode()
    assert re.findall(r"<fifths>(-?\d)</fifths>", text) == ["2", "6", "-5"]
    assert re.findall(r'<sound tempo="(\d+)', text) == ["120", "90"]
