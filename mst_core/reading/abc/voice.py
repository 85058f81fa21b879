"""The hand that writes: takes the signs of one voice in order and keeps what is valid for them.

Signature, accidentals of the bar, unit, meter, a tuplet or a dotted pair under way: all of that
state lives here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mst_core.errors import TooLong, UnreadableScore
from mst_core.music import SEMITONES, Meter
from mst_core.reading.abc.fields import ACCIDENTALS
from mst_core.reading.abc.tokens import (
    BarSign,
    BrokenSign,
    ChordSign,
    NoteSign,
    OverlaySign,
    RestSign,
    Sign,
    TieSign,
    TupletSign,
)
from mst_core.reading.abc.tune import MOST_PASSES, Measure, Written

MOST_QUARTERS = 40_000
FINEST = 100_000
"""Largest denominator of a bar's length: beyond it the note lengths have no beat in common."""
_TUPLET_TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # 5, 7 and 9 follow the meter


class Voice:
    """Collects measures. ``signature``, ``unit`` and ``meter`` may be set between signs."""

    def __init__(
        self, signature: dict[str, int], unit: Fraction, meter: Meter | None, most_notes: int
    ) -> None:
        self.signature = signature
        self.unit = unit
        self.meter = meter
        self._most_notes = most_notes
        self._measures: list[Measure] = []
        self._notes: list[Written] = []
        self.chords = False
        """Whether there were any, of which only the top notes are kept."""
        self._count = 0
        self._quarters = Fraction(0)
        self._measure_meter = meter
        self._accidentals: dict[tuple[str, int], int] = {}
        self._tied_from: tuple[str, int, int] | None = None  # letter, octave, alteration
        self._last: tuple[str, int, int] | None = None
        self._broken: Fraction | None = None  # what > or < does to the next note
        self._tuplet = (Fraction(1), 0)  # ratio, notes left
        self._opens = self._section = False
        self._endings: tuple[int, ...] = ()
        self._beside = False  # behind an & until the barline

    @property
    def empty(self) -> bool:
        """Whether nothing was written yet."""
        return not self._measures and not self._notes

    def take(self, sign: Sign) -> None:
        """Write one sign.

        Raises:
            UnreadableScore: for a pitch no instrument has, and for times without a common beat.
            TooLong: beyond the limits.
        """
        if isinstance(sign, BarSign):
            self._bar(sign)
        elif self._beside:
            return
        elif isinstance(sign, NoteSign):
            self._write(self._pitch(sign), sign.multiple * self.unit)
        elif isinstance(sign, ChordSign):
            # Last of all the top note, so that a tie behind the chord is the tie of that note.
            pitches = [(self._pitch(note), note) for note in sign.notes]
            self.chords = self.chords or len({pitch for pitch, _ in pitches}) > 1
            top, note = max(pitches, key=lambda pair: pair[0])
            self._last = (note.letter, note.octave, self._alteration(note))
            self._write(top, sign.multiple * self.unit)
        elif isinstance(sign, RestSign):
            self._rest(sign)
        elif isinstance(sign, BrokenSign):
            self._break(sign.marks)
        elif isinstance(sign, TupletSign):
            self._begin_tuplet(sign)
        elif isinstance(sign, TieSign):
            if self._notes and self._last:
                self._notes[-1] = self._notes[-1]._replace(tied=True)
                self._tied_from = self._last
        elif isinstance(sign, OverlaySign):
            self._beside = True

    def finish(self) -> tuple[Measure, ...]:
        """Close the last measure and return all of them."""
        self._close_measure(closes=False, double=True)
        return tuple(self._measures)

    def _alteration(self, note: NoteSign) -> int:
        if note.accidental:
            return ACCIDENTALS[note.accidental]
        if self._tied_from and self._tied_from[:2] == (note.letter, note.octave):
            return self._tied_from[2]  # a tie takes its accidental over the barline
        carried = self._accidentals.get((note.letter, note.octave))
        return self.signature.get(note.letter, 0) if carried is None else carried

    def _pitch(self, note: NoteSign) -> int:
        alteration = self._alteration(note)
        if note.accidental:
            self._accidentals[note.letter, note.octave] = alteration
        self._last = (note.letter, note.octave, alteration)
        pitch = 60 + 12 * note.octave + SEMITONES[note.letter] + alteration
        if not 0 <= pitch <= 127:
            raise UnreadableScore(
                f"the note {note.letter} {note.octave} octaves from middle C",
                "notes from C,,,,, to g'''' are accepted",
            )
        return pitch

    def _write(self, pitch: int | None, duration: Fraction) -> None:
        if self._count >= self._most_notes:
            raise TooLong(f"more than {self._most_notes} notes", f"{self._most_notes} notes")
        self._count += 1
        ratio, left = self._tuplet
        if left:
            duration *= ratio
            self._tuplet = (ratio, left - 1)
        if not self._notes:
            self._measure_meter = self.meter
        if self._broken:
            duration *= self._broken
            self._broken = None
        self._notes.append(Written(pitch, duration, tied=False))
        self._tied_from = None

    def _rest(self, sign: RestSign) -> None:
        self._last = None
        if not sign.bars:
            self._write(None, sign.multiple * self.unit)
            return
        bar = self.meter.bar if self.meter else Fraction(4)
        for number in range(max(1, int(sign.multiple))):
            if number:
                self._bar(BarSign("|", ""))
            self._write(None, bar)

    def _break(self, marks: str) -> None:
        """Dot one neighbour and halve the other; doubled marks dot twice and quarter."""
        if not self._notes or self._broken:
            return
        short = Fraction(1, 2 ** len(marks))
        before, after = (2 - short, short) if marks[0] == ">" else (short, 2 - short)
        last = self._notes[-1]
        self._notes[-1] = last._replace(duration=last.duration * before)
        self._broken = after

    def _begin_tuplet(self, sign: TupletSign) -> None:
        compound = self.meter is not None and self.meter.compound
        times = sign.q or _TUPLET_TIMES.get(sign.p) or (3 if compound else 2)
        self._tuplet = (Fraction(times, sign.p), sign.r or sign.p)

    def _bar(self, sign: BarSign) -> None:
        line = sign.line
        closes = line.startswith(":")
        opens = line.endswith(":")
        double = closes or opens or "||" in line or "[" in line or "]" in line
        self._close_measure(closes=closes, double=double)
        self._opens = self._opens or opens
        self._section = self._section or double
        if sign.ending:
            self._endings = _ending_numbers(sign.ending)
        elif double:
            self._endings = ()
        self._accidentals.clear()
        self._beside = False

    def _close_measure(self, *, closes: bool, double: bool) -> None:
        if self._notes:
            measure = Measure(
                tuple(self._notes),
                self._measured(),
                self._measure_meter,
                opens=self._opens,
                closes=closes,
                starts_section=self._section or not self._measures,
                ends_section=double,
                endings=self._endings,
            )
            self._measures.append(measure)
            self._notes.clear()
            self._opens = self._section = False
        elif self._measures:
            last = self._measures[-1]
            self._measures[-1] = replace(
                last, closes=last.closes or closes, ends_section=last.ends_section or double
            )

    def _measured(self) -> Fraction:
        """Return the length of the notes of this measure, when it is one that music has."""
        length = Fraction(0)
        for note in self._notes:
            length += note.duration
            if length.denominator > FINEST:
                raise UnreadableScore(
                    "note lengths that have no beat in common", "write them as 1/2, 3/2, 1/4"
                )
        self._quarters += length
        if self._quarters > MOST_QUARTERS:
            raise TooLong(f"more than {MOST_QUARTERS} quarter notes", f"{MOST_QUARTERS} of them")
        return length


def _ending_numbers(text: str) -> tuple[int, ...]:
    """Read ``1``, ``1,3`` or ``1-3``; none beyond the ninth."""
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip(".").partition("-")
        if first.isdigit() and len(first) == 1:
            end = int(last) if last.isdigit() and len(last) == 1 else int(first)
            numbers.update(range(int(first), min(end, MOST_PASSES) + 1))
    return tuple(sorted(numbers))
