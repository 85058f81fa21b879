"""A melody as MusicXML. The one room of music21; slow, for those who ask for it.

music21 is told everything - measures, ties, triplets, beams, shown accidentals - and left to decide
nothing: its own notation pass is off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from music21 import bar as barline
from music21 import (
    clef,
    duration,
    instrument,
    key,
    metadata,
    meter,
    note,
    pitch,
    spanner,
    stream,
    tempo,
    tie,
)
from music21.musicxml.m21ToXml import GeneralObjectExporter

from mst_core.music import Melody
from mst_core.notation.layout import LOWEST_TREBLE_PITCH, WrittenBar, lay_out_bars
from mst_core.notation.note_values import WrittenNote
from mst_core.notation.spelling import AccidentalTracker

_NOTE_TYPES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th"}
_BARLINES = {"double": "double", "final": "final"}
_MUSIC21_METADATA = re.compile(
    rb"\n *<(encoding-date|software|creator type=\"composer\")>[^<]*</[a-z-]+>"
)
"""What music21 adds of itself: the day, its version, and its own name as the composer's."""


def write_musicxml(melody: Melody, *, title: str = "") -> bytes:
    """Write an uncompressed MusicXML file in UTF-8; a pickup is measure 0.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    bars = lay_out_bars(melody)
    part = stream.Part()
    player = instrument.Instrument()
    player.partId, player.partName = "P1", "Melody"  # else each export has another id
    part.insert(0, player)
    accidentals = AccidentalTracker(melody.key)
    ending: list[stream.Measure] = []
    for bar in bars:
        measure = stream.Measure(number=bar.number)
        if bar is bars[0]:
            _write_header(measure, melody)
        if bar.changes_meter:
            measure.insert(0, meter.TimeSignature(str(bar.meter)))
        if not bar.is_complete:
            measure.paddingLeft = bar.meter.bar_length - bar.length
        if bar.starts_after_repeat_sign or not bar.is_complete:
            measure.showNumber = stream.enums.ShowNumber.NEVER
        if bar.starts_after_repeat_sign:
            measure.numberSuffix = "b"
        accidentals.start_bar()
        if bar.is_empty:
            silence = note.Rest(quarterLength=bar.length)
            silence.fullMeasure = True
            measure.append(silence)
        else:
            for piece in bar.notes:
                measure.append(_write_note(piece, bar, accidentals))
            _write_beams(bar, list(measure.notesAndRests))
        if bar.starts_repeat:
            measure.leftBarline = barline.Repeat(direction="start")
        if bar.ends_repeat:
            measure.rightBarline = barline.Repeat(direction="end")
        elif bar.right_barline in _BARLINES:
            measure.rightBarline = barline.Barline(_BARLINES[bar.right_barline])
        part.append(measure)
        ending += [measure] * bool(bar.ending)
        if bar.ends_ending:
            part.insert(0, spanner.RepeatBracket(ending, number=bar.ending))
            ending = []
    score = stream.Score()
    score.insert(0, metadata.Metadata(title=" ".join(title.split()) or "Untitled"))
    score.insert(0, part)
    exporter = GeneralObjectExporter(score)
    exporter.makeNotation = False
    return _MUSIC21_METADATA.sub(b"", exporter.parse())


def _write_header(measure: stream.Measure, melody: Melody) -> None:
    """Put clef, key, meter and tempo at the head of the first measure."""
    low = melody.notes and sorted(melody.pitches)[len(melody.notes) // 2] < LOWEST_TREBLE_PITCH
    signature = key.Key(melody.key.tonic_name.replace("b", "-"), melody.key.mode)
    beat = melody.meter.beat_length
    mark = tempo.MetronomeMark(
        number=round(melody.tempo / float(beat), 2), referent=duration.Duration(beat)
    )
    for sign in (
        clef.BassClef() if low else clef.TrebleClef(),
        signature,
        meter.TimeSignature(str(melody.meter)),
        mark,
    ):
        measure.insert(0, sign)


def _write_note(
    piece: WrittenNote, bar: WrittenBar, accidentals: AccidentalTracker
) -> note.GeneralNote:
    length = duration.Duration(type=_NOTE_TYPES[piece.value.denominator], dots=piece.value.dots)
    if piece.triplet is not None:
        length.appendTuplet(_write_triplet(piece, bar))
    if piece.spelling is None:
        return note.Rest(duration=length)
    spelling = piece.spelling
    written = pitch.Pitch(f"{spelling.letter}{spelling.octave}")
    # A note tied over the barline needs no second accidental: the tie carries it.
    shown = not piece.tied_to_previous and accidentals.must_show(spelling)
    if spelling.alteration or shown:
        written.accidental = pitch.Accidental(spelling.alteration)
        written.accidental.displayStatus = shown
    sounding = note.Note(written, duration=length)
    if piece.tied_to_next or piece.tied_to_previous:
        kind = (
            "start" if not piece.tied_to_previous else "continue" if piece.tied_to_next else "stop"
        )
        sounding.tie = tie.Tie(kind)
    return sounding


def _write_triplet(piece: WrittenNote, bar: WrittenBar) -> duration.Tuplet:
    """Three in the time of two; the first and the last of its pieces carry the bracket."""
    members = [each for each in bar.notes if each.triplet == piece.triplet]
    unit = _NOTE_TYPES[max(4, min(64, max(each.value.denominator for each in members)))]
    triplet = duration.Tuplet(3, 2, unit, unit)
    beams = {each.beam for each in members}
    # A beam of its own shows how far a triplet goes; any other needs the bracket.
    triplet.bracket = None in beams or members != [each for each in bar.notes if each.beam in beams]
    if piece is members[0]:
        triplet.type = "start"
    elif piece is members[-1]:
        triplet.type = "stop"
    return triplet


def _write_beams(bar: WrittenBar, written: Sequence[note.GeneralNote]) -> None:
    """Draw one beam for each flag that neighbours share, and stubs for the others."""
    flags = [
        0 if piece.beam is None else piece.value.denominator.bit_length() - 3 for piece in bar.notes
    ]
    beams = [piece.beam for piece in bar.notes]
    for place, sounding in enumerate(written):
        if not isinstance(sounding, note.Note):
            continue
        before = place > 0 and beams[place - 1] == beams[place]
        after = place + 1 < len(flags) and beams[place + 1] == beams[place]
        for level in range(1, flags[place] + 1):
            left = before and flags[place - 1] >= level
            right = after and flags[place + 1] >= level
            if left and right:
                sounding.beams.append("continue")
            elif left or right:
                sounding.beams.append("stop" if left else "start")
            else:
                sounding.beams.append("partial", "left" if before else "right")
