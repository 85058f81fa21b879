"""Writes a melody as ABC notation: four bars a line, beat groups separated by spaces.

The unit is an eighth, or a sixteenth in meters of sixteenths. Accidentals are repeated after a
barline also on tied notes, because readers of ABC differ there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from mst_core.music import Key, Melody, Meter
from mst_core.notation.layout import WrittenBar, break_into_lines, lay_out_bars
from mst_core.notation.note_values import WrittenNote
from mst_core.notation.spelling import AccidentalTracker, Spelling
from mst_core.notation.tempo_marks import mark_tempos

BARS_PER_LINE = 4
_BARLINES = {"single": "|", "double": "||", "final": "|]"}
_ACCIDENTALS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
_MODES = {"major": "", "minor": "m"}


def write_abc(melody: Melody, *, title: str = "") -> str:
    """Write one tune.

    Args:
        melody: the melody.
        title: its title; empty for ``Untitled``.

    Returns:
        The text of the tune, with a newline at its end.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    tempo = mark_tempos(melody)[0].tempo
    if not melody.tempo_changes:
        # MIDI counts microseconds a quarter: 82 a minute is read as 82.0001.
        tempo = round(tempo, 2)
    unit = Fraction(1, 2 if melody.meter.denominator <= 8 else 4)
    head = [
        "X:1",
        f"T:{_title_field(title) or 'Untitled'}",
        f"M:{melody.meter}",
        f"L:{unit / 4}",
        f"Q:{_tempo_text(tempo, melody.meter)}",
        f"K:{_key_text(melody.key)}",
    ]
    accidentals = AccidentalTracker(melody.key)
    lines = []
    for line in break_into_lines(lay_out_bars(melody), BARS_PER_LINE):
        opening = ["|:"] * line[0].starts_repeat + [f"[{line[0].ending}"] * line[0].starts_ending
        bars = [
            f"{_bar_text(bar, unit, accidentals)} {_barline_text(bar, after)}"
            for bar, after in pairwise([*line, None])
            if bar
        ]
        lines.append(" ".join(opening + bars))
    return "\n".join([*head, *lines, ""])


def _title_field(text: str) -> str:
    """Return a title on one line, with the comment sign escaped."""
    return " ".join(text.split()).replace("%", r"\%")


def _tempo_text(tempo: float, meter: Meter) -> str:
    """Return the tempo in beats per minute, or in quarter notes when that is not an integer."""
    beat = meter.beat_length
    beats = tempo / float(beat)
    if beats == round(beats):
        return f"{beat / 4}={round(beats)}"
    return f"1/4={tempo:.6g}"


def _key_text(key: Key) -> str:
    """Return a key as ABC writes it: ``F#``, ``Bbm``, ``Ador``."""
    return f"{key.tonic_name}{_MODES.get(key.mode, key.mode[:3])}"


def _bar_text(bar: WrittenBar, unit: Fraction, accidentals: AccidentalTracker) -> str:
    """Return the notes of a bar, without barlines."""
    text = f"[M:{bar.meter}] " * bar.changes_meter
    text += f"[K:{_key_text(bar.key)}] " * bar.changes_key
    start = bar.notes[0].onset if bar.notes else Fraction(0)
    signs = [(onset, 0, f"[Q:{_tempo_text(tempo, bar.meter)}] ") for onset, tempo in bar.tempos]
    signs += [(onset, 1, _chord_text(symbol)) for onset, symbol in bar.chords]
    signs.sort()
    if bar.is_empty and all(onset <= start for onset, *_ in signs):
        before_rest = "".join(sign for *_, sign in signs)
        return f"{text}{before_rest}z{_length_text(bar.length / unit)}"
    accidentals.start_bar(bar.key)
    counts = Counter(note.triplet for note in bar.notes)
    index = 0
    before: WrittenNote | None = None
    for note in bar.notes:
        same_triplet = before and before.triplet == note.triplet is not None
        if before and before.beat_group != note.beat_group and not same_triplet:
            text += " "
        if note.triplet is not None:
            index = index + 1 if same_triplet else 0
            text += _open_triplet(index, counts[note.triplet])
        for piece, symbol in _split_at_signs(note, signs):
            text += symbol + _note_text(piece, unit, accidentals)
        before = note
    return text


def _split_at_signs(
    note: WrittenNote, signs: list[tuple[Fraction, int, str]]
) -> Iterator[tuple[WrittenNote, str]]:
    """Yield a note in tied pieces, each with the chord symbols and tempo marks before it.

    ABC writes them only before a note. Within a triplet, whose notes are counted, they stand before
    the next note instead. The signs that are written are taken from the list.
    """
    end = note.onset + note.duration
    while True:
        text = ""
        while signs and signs[0][0] <= note.onset:
            text += signs.pop(0)[2]
        if note.triplet is not None or not signs or signs[0][0] >= end:
            yield note, text
            return
        split, is_tied = signs[0][0], note.spelling is not None
        yield replace(note, duration=split - note.onset, tied_to_next=is_tied), text
        note = replace(note, onset=split, duration=end - split, tied_to_previous=is_tied, grace=())


def _chord_text(text: str) -> str:
    """Return a chord symbol in quotes; it holds no quote and begins with no sign of ABC."""
    return f'"{text.replace(chr(34), "")}"'


def _barline_text(bar: WrittenBar, after: WrittenBar | None) -> str:
    """Return the right barline of a bar; ``after`` is the next bar of the line."""
    if after and after.starts_repeat:
        return "::" if bar.ends_repeat else "|:"
    if bar.ends_repeat:
        line = ":|"
    elif bar.ends_ending and bar.right_barline == "single":
        line = "||"  # marks the end of the ending
    elif bar.ending and not bar.ends_ending:
        line = "|"  # a double bar would end the ending
    else:
        line = _BARLINES[bar.right_barline]
    return f"{line}{after.ending}" if after and after.starts_ending else line


def _open_triplet(index: int, count: int) -> str:
    """Return the sign before note ``index`` of a triplet; ABC allows nine notes at most."""
    if index % 9:
        return ""
    return "(3" if count == 3 else f"(3:2:{min(9, count - index)}"


def _note_text(note: WrittenNote, unit: Fraction, accidentals: AccidentalTracker) -> str:
    """Return a note or rest with its length."""
    shown = note.duration * (1 if note.triplet is None else Fraction(3, 2))
    length = _length_text(shown / unit)
    if note.spelling is None:
        return f"z{length}"
    grace = "".join(_pitch_text(each, accidentals) for each in note.grace)
    pitch = _pitch_text(note.spelling, accidentals)
    return f"{f'{{{grace}}}' * bool(grace)}{pitch}{length}{'-' * note.tied_to_next}"


def _pitch_text(spelling: Spelling, accidentals: AccidentalTracker) -> str:
    """Return accidental, letter and octave: ``C`` is middle C, ``^c`` a sharp an octave above."""
    accidental = ""
    if accidentals.must_show(spelling):
        accidental = _ACCIDENTALS[spelling.alteration]
    if spelling.octave >= 5:
        return accidental + spelling.letter.lower() + "'" * (spelling.octave - 5)
    return accidental + spelling.letter + "," * (4 - spelling.octave)


def _length_text(units: Fraction) -> str:
    """Return a length in units: empty for 1, ``2``, ``3/2``, ``/`` for a half."""
    if units == 1:
        return ""
    if units.denominator == 1:
        return str(units)
    if units.numerator == 1:
        return "/" if units.denominator == 2 else f"/{units.denominator}"
    return str(units)
