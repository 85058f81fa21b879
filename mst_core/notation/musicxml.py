"""Writes a melody as MusicXML with music21. Slow, and used only on request.

Together with the import of music21's corpora, the only module that uses music21. Measures, ties,
triplets, beams and shown accidentals are all set here, and music21's own notation pass is off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from music21 import bar as barline
from music21 import (
    clef,
    duration,
    harmony,
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

from mst_core.music import Key, Melody, Meter
from mst_core.notation.beams import needs_bracket
from mst_core.notation.layout import WrittenBar, lay_out_bars, uses_bass_clef
from mst_core.notation.note_values import WrittenNote
from mst_core.notation.spelling import AccidentalTracker, Spelling
from mst_core.notation.tempo_marks import mark_tempos

_NOTE_TYPES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th"}
_BARLINES = {"double": "double", "final": "final"}
_CHORD = re.compile(r"([A-G][#b]{0,2})([^/]*)(?:/([A-G][#b]?))?")
_CHORD_KINDS = {
    "": "major",
    "m": "minor",
    "7": "dominant-seventh",
    "maj7": "major-seventh",
    "m7": "minor-seventh",
    "mMaj7": "minor-major-seventh",
    "6": "major-sixth",
    "m6": "minor-sixth",
    "9": "dominant-ninth",
    "maj9": "major-ninth",
    "m9": "minor-ninth",
    "11": "dominant-11th",
    "13": "dominant-13th",
    "dim": "diminished",
    "dim7": "diminished-seventh",
    "m7b5": "half-diminished-seventh",
    "aug": "augmented",
    "+": "augmented",
    "sus2": "suspended-second",
    "sus4": "suspended-fourth",
    "5": "power",
}
"""music21's kind of a chord by how it is written after the root; any other is \"other\"."""
_MUSIC21_METADATA = re.compile(
    rb"\n *<(encoding-date|software|creator type=\"composer\"|inversion)>[^<]*</[a-z-]+>"
)
"""What music21 adds: the date, its version, its own name as the composer, and the inversion of a
chord, which is -1 where it does not know the chord and says no more than the bass elsewhere."""


def write_musicxml(melody: Melody, *, title: str = "") -> bytes:
    """Write an uncompressed MusicXML file.

    Args:
        melody: the melody; its pickup becomes measure 0.
        title: its title; empty for ``Untitled``.

    Returns:
        The file in UTF-8.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    bars = lay_out_bars(melody)
    part = stream.Part()
    melody_instrument = instrument.Instrument()
    # With fixed ids, the same melody gives the same bytes.
    melody_instrument.partId, melody_instrument.partName = "P1", "Melody"
    part.insert(0, melody_instrument)
    accidentals = AccidentalTracker(melody.key)
    ending: list[stream.Measure] = []
    for bar in bars:
        measure = stream.Measure(number=bar.number)
        if bar is bars[0]:
            _write_header(measure, melody)
        if bar.changes_meter:
            measure.insert(0, meter.TimeSignature(str(bar.meter)))
        if bar.changes_key:
            measure.insert(0, _write_key(bar.key))
        start = bar.notes[0].onset if bar.notes else Fraction(0)
        for onset, quarters in bar.tempos:
            measure.insert(onset - start, _write_tempo(quarters, bar.meter, digits=6))
        for onset, text in bar.chords:
            measure.insert(onset - start, _write_chord(text))
        if not bar.is_complete:
            measure.paddingLeft = bar.meter.bar_length - bar.length
        if bar.starts_after_repeat_sign or not bar.is_complete:
            measure.showNumber = stream.enums.ShowNumber.NEVER
        if bar.starts_after_repeat_sign:
            measure.numberSuffix = "b"
        accidentals.start_bar(bar.key)
        if bar.is_empty:
            rest = note.Rest(quarterLength=bar.length)
            rest.fullMeasure = True
            measure.append(rest)
        else:
            written = []
            for each in bar.notes:
                for grace in _write_graces(each, accidentals):
                    measure.insert(each.onset - start, grace)
                written.append(_write_note(each, bar, accidentals))
                measure.insert(each.onset - start, written[-1])
            _write_beams(bar, written)
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
    """Write clef, key, meter and tempo into the first measure."""
    for sign in (
        clef.BassClef() if uses_bass_clef(melody) else clef.TrebleClef(),
        _write_key(melody.key),
        meter.TimeSignature(str(melody.meter)),
        _write_tempo(
            mark_tempos(melody)[0].tempo, melody.meter, digits=6 if melody.tempo_changes else 2
        ),
    ):
        measure.insert(0, sign)


def _write_key(written: Key) -> key.Key:
    """Return music21's key, with the signature as it is spelled."""
    return key.Key(written.tonic_name.replace("b", "-"), written.mode)


def _write_tempo(quarters: float, written: Meter, *, digits: int) -> tempo.MetronomeMark:
    """Return the mark of a tempo in beats of a meter, rounded to some decimals."""
    beat = written.beat_length
    return tempo.MetronomeMark(
        number=round(quarters / float(beat), digits), referent=duration.Duration(beat)
    )


def _write_chord(text: str) -> harmony.Harmony:
    """Return a chord symbol with its root, bass and kind, and its text as it was."""
    found = _CHORD.fullmatch(text)
    if found is None:
        return harmony.NoChord(text)
    root, quality, bass = found.groups()
    symbol = harmony.ChordSymbol()
    symbol.root(pitch.Pitch(root.replace("b", "-")), find=False)
    symbol.chordKind = _CHORD_KINDS.get(quality, "other")
    symbol.chordKindStr = quality
    if bass:
        symbol.bass(pitch.Pitch(bass.replace("b", "-")), allow_add=True)
    return symbol


def _write_graces(written: WrittenNote, accidentals: AccidentalTracker) -> Iterator[note.Note]:
    """Yield music21's objects of the ornaments before a note."""
    for spelling in written.grace:
        short = duration.Duration(type="16th" if len(written.grace) > 1 else "eighth")
        yield note.Note(
            _write_pitch(spelling, accidentals.must_show(spelling)), duration=short
        ).getGrace()


def _write_pitch(spelling: Spelling, shown: bool) -> pitch.Pitch:
    """Return music21's pitch; its accidental is shown, or only says how it sounds."""
    spelled = pitch.Pitch(f"{spelling.letter}{spelling.octave}")
    if spelling.alteration or shown:
        spelled.accidental = pitch.Accidental(spelling.alteration)
        spelled.accidental.displayStatus = shown
    return spelled


def _write_note(
    written: WrittenNote, bar: WrittenBar, accidentals: AccidentalTracker
) -> note.GeneralNote:
    """Return music21's object of a note or rest."""
    length = duration.Duration(type=_NOTE_TYPES[written.denominator], dots=written.dots)
    if written.triplet is not None:
        length.appendTuplet(_write_triplet(written, bar))
    if written.spelling is None:
        return note.Rest(duration=length)
    spelling = written.spelling
    # A note tied over the barline needs no second accidental.
    shown = not written.tied_to_previous and accidentals.must_show(spelling)
    result = note.Note(_write_pitch(spelling, shown), duration=length)
    if written.tied_to_previous:
        result.tie = tie.Tie("continue" if written.tied_to_next else "stop")
    elif written.tied_to_next:
        result.tie = tie.Tie("start")
    return result


def _write_triplet(written: WrittenNote, bar: WrittenBar) -> duration.Tuplet:
    """Return the triplet of a note; its first and last notes start and stop the bracket."""
    members = [each for each in bar.notes if each.triplet == written.triplet]
    unit = _NOTE_TYPES[max(4, min(64, max(each.denominator for each in members)))]
    triplet = duration.Tuplet(3, 2, unit, unit)
    triplet.bracket = needs_bracket(members, bar.notes)
    if written is members[0]:
        triplet.type = "start"
    elif written is members[-1]:
        triplet.type = "stop"
    return triplet


def _write_beams(bar: WrittenBar, written: Sequence[note.GeneralNote]) -> None:
    """Write a beam for each flag that neighbouring notes share, and a partial beam for others."""
    flags = [0 if each.beam is None else each.denominator.bit_length() - 3 for each in bar.notes]
    beams = [each.beam for each in bar.notes]
    for index, each in enumerate(written):
        if not isinstance(each, note.Note):
            continue
        before = index > 0 and beams[index - 1] == beams[index]
        after = index + 1 < len(flags) and beams[index + 1] == beams[index]
        for level in range(1, flags[index] + 1):
            left = before and flags[index - 1] >= level
            right = after and flags[index + 1] >= level
            if left and right:
                each.beams.append("continue")
            elif left or right:
                each.beams.append("stop" if left else "start")
            else:
                each.beams.append("partial", "left" if before else "right")
