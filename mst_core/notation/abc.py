"""A melody as ABC text that a musician likes to read: four bars a line, beats set apart.

Lengths count in eighths (in sixteenths where the meter does). Accidentals stand where any reader
would need them, also on a note that is tied over a barline.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from mst_core.music import Melody
from mst_core.notation.layout import Bar, break_lines, lay_out
from mst_core.notation.note_values import Piece
from mst_core.notation.spelling import Accidentals, Spelling

BARS_A_LINE = 4
_BARLINES = {"single": "|", "double": "||", "final": "|]"}
_ACCIDENTALS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
_MODES = {"major": "", "minor": "m"}


def write_abc(melody: Melody, *, title: str = "") -> str:
    """Write one tune, with a newline at its end.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    unit = Fraction(1, 2 if melody.meter.denominator <= 8 else 4)
    head = [
        "X:1",
        f"T:{_field(title) or 'Untitled'}",
        f"M:{melody.meter}",
        f"L:{unit / 4}",
        f"Q:{_tempo(melody)}",
        f"K:{melody.key.tonic_name}{_MODES.get(melody.key.mode, melody.key.mode[:3])}",
    ]
    accidentals = Accidentals(melody.key)
    lines = []
    for line in break_lines(lay_out(melody), BARS_A_LINE):
        opening = ["|:"] * line[0].opens_repeat + [f"[{line[0].ending}"] * line[0].begins_ending
        bars = [
            f"{_bar(bar, unit, accidentals)} {_barline(bar, after)}"
            for bar, after in pairwise([*line, None])
            if bar
        ]
        lines.append(" ".join(opening + bars))
    return "\n".join([*head, *lines, ""])


def _field(text: str) -> str:
    """Keep a title on its one line, without the sign that begins a comment."""
    return " ".join(text.split()).replace("%", r"\%")


def _tempo(melody: Melody) -> str:
    beat = melody.meter.beat
    beats = melody.tempo / float(beat)
    if beats == round(beats):
        return f"{beat / 4}={round(beats)}"
    return f"1/4={melody.tempo:.6g}"


def _bar(bar: Bar, unit: Fraction, accidentals: Accidentals) -> str:
    meter = f"[M:{bar.meter}] " * bar.changes_meter
    if bar.empty:
        return f"{meter}z{_length(bar.length / unit)}"
    accidentals.new_bar()
    text = meter
    before: Piece | None = None
    for piece in bar.pieces:
        same_triplet = before and before.triplet == piece.triplet is not None
        if before and before.group != piece.group and not same_triplet:
            text += " "
        if piece.triplet is not None:
            members = [each for each in bar.pieces if each.triplet == piece.triplet]
            text += _open_triplet(members.index(piece), len(members))
        text += _sign(piece, unit, accidentals)
        before = piece
    return text


def _barline(bar: Bar, after: Bar | None) -> str:
    """Write the barline between two bars; a bar ``after`` it on a new line opens by itself."""
    if after and after.opens_repeat:
        return "::" if bar.closes_repeat else "|:"
    if bar.closes_repeat:
        line = ":|"
    elif bar.ends_ending and bar.closing == "single":
        line = "||"  # else a reader would not know where the ending ends
    elif bar.ending and not bar.ends_ending:
        line = "|"  # for a double bar would end it
    else:
        line = _BARLINES[bar.closing]
    return f"{line}{after.ending}" if after and after.begins_ending else line


def _open_triplet(place: int, count: int) -> str:
    """Write what stands before a piece of a triplet; ABC counts nine notes at most."""
    if place % 9:
        return ""
    return "(3" if count == 3 else f"(3:2:{min(9, count - place)}"


def _sign(piece: Piece, unit: Fraction, accidentals: Accidentals) -> str:
    shown = piece.duration * (1 if piece.triplet is None else Fraction(3, 2))
    length = _length(shown / unit)
    if piece.spelling is None:
        return f"z{length}"
    accidental = ""
    if accidentals.needed(piece.spelling):
        accidental = _ACCIDENTALS[piece.spelling.alteration]
    return f"{accidental}{_letter(piece.spelling)}{length}{'-' * piece.tied}"


def _letter(spelling: Spelling) -> str:
    if spelling.octave >= 5:
        return spelling.letter.lower() + "'" * (spelling.octave - 5)
    return spelling.letter + "," * (4 - spelling.octave)


def _length(units: Fraction) -> str:
    if units == 1:
        return ""
    if units.denominator == 1:
        return str(units)
    if units.numerator == 1:
        return "/" if units.denominator == 2 else f"/{units.denominator}"
    return str(units)
