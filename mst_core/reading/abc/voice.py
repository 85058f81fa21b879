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
    BarToken,
    BrokenRhythmToken,
    ChordToken,
    NoteToken,
    OverlayToken,
    RestToken,
    TieToken,
    Token,
    TupletToken,
)
from mst_core.reading.abc.tune import MAX_PASSES, AbcMeasure, AbcNote

MAX_QUARTERS = 40_000
MAX_DENOMINATOR = 100_000
"""Largest denominator of a bar's length: beyond it the note lengths have no beat in common."""
_TUPLET_NORMAL_NOTES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # 5, 7 and 9 follow the meter


class VoiceBuilder:
    """Collects measures. ``signature``, ``unit`` and ``meter`` may be set between signs."""

    def __init__(
        self, signature: dict[str, int], unit: Fraction, meter: Meter | None, max_notes: int
    ) -> None:
        self.signature = signature
        self.unit = unit
        self.meter = meter
        self._max_notes = max_notes
        self._measures: list[AbcMeasure] = []
        self._notes: list[AbcNote] = []
        self.has_chords = False
        """Whether there were any, of which only the top notes are kept."""
        self._note_count = 0
        self._quarters = Fraction(0)
        self._measure_meter = meter
        self._accidentals: dict[tuple[str, int], int] = {}
        self._tied_from: tuple[str, int, int] | None = None  # letter, octave, alteration
        self._last_pitch: tuple[str, int, int] | None = None
        self._next_factor: Fraction | None = None  # what > or < does to the next note
        self._tuplet = (Fraction(1), 0)  # ratio, notes left
        self._opens_repeat = self._starts_section = False
        self._endings: tuple[int, ...] = ()
        self._in_overlay = False  # behind an & until the barline

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return not self._measures and not self._notes

    def add(self, sign: Token) -> None:
        """Write one sign.

        Raises:
            UnreadableScore: for a pitch no instrument has, and for times without a common beat.
            TooLong: beyond the limits.
        """
        if isinstance(sign, BarToken):
            self._add_barline(sign)
        elif self._in_overlay:
            return
        elif isinstance(sign, NoteToken):
            self._add_note(self._pitch(sign), sign.multiple * self.unit)
        elif isinstance(sign, ChordToken):
            # Last of all the top note, so that a tie behind the chord is the tie of that note.
            pitches = [(self._pitch(note), note) for note in sign.notes]
            self.has_chords = self.has_chords or len({pitch for pitch, _ in pitches}) > 1
            top, note = max(pitches, key=lambda pair: pair[0])
            self._last_pitch = (note.letter, note.octave, self._alteration(note))
            self._add_note(top, sign.multiple * self.unit)
        elif isinstance(sign, RestToken):
            self._add_rest(sign)
        elif isinstance(sign, BrokenRhythmToken):
            self._break_rhythm(sign.marks)
        elif isinstance(sign, TupletToken):
            self._begin_tuplet(sign)
        elif isinstance(sign, TieToken):
            if self._notes and self._last_pitch:
                self._notes[-1] = self._notes[-1]._replace(tied=True)
                self._tied_from = self._last_pitch
        elif isinstance(sign, OverlayToken):
            self._in_overlay = True

    def finish(self) -> tuple[AbcMeasure, ...]:
        """Close the last measure and return all of them."""
        self._close_measure(closes=False, double=True)
        return tuple(self._measures)

    def _alteration(self, note: NoteToken) -> int:
        if note.accidental:
            return ACCIDENTALS[note.accidental]
        if self._tied_from and self._tied_from[:2] == (note.letter, note.octave):
            return self._tied_from[2]  # a tie takes its accidental over the barline
        carried = self._accidentals.get((note.letter, note.octave))
        return self.signature.get(note.letter, 0) if carried is None else carried

    def _pitch(self, note: NoteToken) -> int:
        alteration = self._alteration(note)
        if note.accidental:
            self._accidentals[note.letter, note.octave] = alteration
        self._last_pitch = (note.letter, note.octave, alteration)
        pitch = 60 + 12 * note.octave + SEMITONES[note.letter] + alteration
        if not 0 <= pitch <= 127:
            raise UnreadableScore(
                f"the note {note.letter} {note.octave} octaves from middle C",
                "notes from C,,,,, to g'''' are accepted",
            )
        return pitch

    def _add_note(self, pitch: int | None, duration: Fraction) -> None:
        if self._note_count >= self._max_notes:
            raise TooLong(f"more than {self._max_notes} notes", f"{self._max_notes} notes")
        self._note_count += 1
        ratio, left = self._tuplet
        if left:
            duration *= ratio
            self._tuplet = (ratio, left - 1)
        if not self._notes:
            self._measure_meter = self.meter
        if self._next_factor:
            duration *= self._next_factor
            self._next_factor = None
        self._notes.append(AbcNote(pitch, duration, tied=False))
        self._tied_from = None

    def _add_rest(self, sign: RestToken) -> None:
        self._last_pitch = None
        if not sign.full_bars:
            self._add_note(None, sign.multiple * self.unit)
            return
        bar = self.meter.bar_length if self.meter else Fraction(4)
        for number in range(max(1, int(sign.multiple))):
            if number:
                self._add_barline(BarToken("|", ""))
            self._add_note(None, bar)

    def _break_rhythm(self, marks: str) -> None:
        """Dot one neighbour and halve the other; doubled marks dot twice and quarter."""
        if not self._notes or self._next_factor:
            return
        short = Fraction(1, 2 ** len(marks))
        before, after = (2 - short, short) if marks[0] == ">" else (short, 2 - short)
        last = self._notes[-1]
        self._notes[-1] = last._replace(duration=last.duration * before)
        self._next_factor = after

    def _begin_tuplet(self, sign: TupletToken) -> None:
        compound = self.meter is not None and self.meter.is_compound
        times = sign.q or _TUPLET_NORMAL_NOTES.get(sign.p) or (3 if compound else 2)
        self._tuplet = (Fraction(times, sign.p), sign.r or sign.p)

    def _add_barline(self, sign: BarToken) -> None:
        line = sign.barline
        closes = line.startswith(":")
        opens = line.endswith(":")
        double = closes or opens or "||" in line or "[" in line or "]" in line
        self._close_measure(closes=closes, double=double)
        self._opens_repeat = self._opens_repeat or opens
        self._starts_section = self._starts_section or double
        if sign.ending:
            self._endings = _ending_numbers(sign.ending)
        elif double:
            self._endings = ()
        self._accidentals.clear()
        self._in_overlay = False

    def _close_measure(self, *, closes: bool, double: bool) -> None:
        if self._notes:
            measure = AbcMeasure(
                tuple(self._notes),
                self._measure_length(),
                self._measure_meter,
                opens=self._opens_repeat,
                closes=closes,
                starts_section=self._starts_section or not self._measures,
                ends_section=double,
                endings=self._endings,
            )
            self._measures.append(measure)
            self._notes.clear()
            self._opens_repeat = self._starts_section = False
        elif self._measures:
            last = self._measures[-1]
            self._measures[-1] = replace(
                last, closes=last.closes or closes, ends_section=last.ends_section or double
            )

    def _measure_length(self) -> Fraction:
        """Return the length of the notes of this measure, when it is one that music has."""
        length = Fraction(0)
        for note in self._notes:
            length += note.duration
            if length.denominator > MAX_DENOMINATOR:
                raise UnreadableScore(
                    "note lengths that have no beat in common", "write them as 1/2, 3/2, 1/4"
                )
        self._quarters += length
        if self._quarters > MAX_QUARTERS:
            raise TooLong(f"more than {MAX_QUARTERS} quarter notes", f"{MAX_QUARTERS} of them")
        return length


def _ending_numbers(text: str) -> tuple[int, ...]:
    """Read ``1``, ``1,3`` or ``1-3``; none beyond the ninth."""
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip(".").partition("-")
        if first.isdigit() and len(first) == 1:
            end = int(last) if last.isdigit() and len(last) == 1 else int(first)
            numbers.update(range(int(first), min(end, MAX_PASSES) + 1))
    return tuple(sorted(numbers))
