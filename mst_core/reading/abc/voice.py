"""Builds the measures of one ABC voice from its tokens.

All state that one token leaves for the next is here: the signature, accidentals of the bar, the
unit of length, the meter, a tuplet or broken rhythm that is not complete, open repeats and endings.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mst_core.errors import TooLong, UnreadableScore
from mst_core.music import SEMITONES, Meter
from mst_core.reading.abc.fields import ACCIDENTALS
from mst_core.reading.abc.tokens import (
    BarToken,
    MarkToken,
    NoteToken,
    Token,
    TupletToken,
)
from mst_core.reading.abc.tune import AbcMeasure, AbcNote

MAX_QUARTERS = 40_000
"""Longest voice, in quarter notes."""
MAX_DENOMINATOR = 100_000
"""Largest denominator of a measure's length: above it the notes have no common beat."""
MAX_ENDING = 9
"""Largest number of an ending."""
_TUPLET_NORMAL_NOTES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""q of the tuplet ``(p``; for 5, 7 and 9 it is 3 in a compound meter, else 2 (ABC standard 2.1)."""


class VoiceBuilder:
    """Collects the measures of a voice; signature, unit and meter may be set between tokens."""

    def __init__(
        self, signature: dict[str, int], unit: Fraction, meter: Meter | None, max_notes: int
    ) -> None:
        self.signature = signature
        """Semitones that the key adds to a letter."""
        self.unit = unit
        """Quarter notes of a note without a length."""
        self.meter = meter
        """None for free meter."""
        self.has_chords = False
        """Whether there was a chord, of which only the top note is kept."""
        self._max_notes = max_notes
        self._measures: list[AbcMeasure] = []
        self._notes: list[AbcNote] = []  # of the measure that is not closed
        self._note_count = 0
        self._quarters = Fraction(0)
        self._measure_meter = meter
        self._accidentals: dict[tuple[str, int], int] = {}  # (letter, octave): semitones
        self._tied_from: tuple[str, int, int] | None = None  # letter, octave, alteration
        self._last_pitch: tuple[str, int, int] | None = None
        self._next_factor: Fraction | None = None  # of the second note of a broken rhythm
        self._tuplet = (Fraction(1), 0)  # factor, notes left
        self._opens_repeat = self._starts_section = False
        self._endings: tuple[int, ...] = ()
        self._in_overlay = False  # from an & to the next barline

    @property
    def is_empty(self) -> bool:
        """Whether no note and no rest was added yet."""
        return not self._measures and not self._notes

    def add(self, token: Token) -> None:
        """Add one token; a field has no effect here, its reader sets the attributes.

        Args:
            token: The next token of the voice.

        Raises:
            UnreadableScore: for a pitch outside the MIDI range, and for note lengths without a
                common beat.
            TooLong: when there are more notes or quarter notes than the limits.
        """
        if isinstance(token, BarToken):
            self._add_barline(token)
        elif self._in_overlay:
            return
        elif isinstance(token, NoteToken) and token.notes:
            self._add_chord(token)
        elif isinstance(token, NoteToken):
            self._add_rest(token)
        elif isinstance(token, TupletToken):
            self._begin_tuplet(token)
        elif isinstance(token, MarkToken):
            self._apply_mark(token.text)

    def finish(self) -> tuple[AbcMeasure, ...]:
        """Close the last measure and return all of them.

        Raises:
            UnreadableScore: for note lengths without a common beat.
            TooLong: when there are more quarter notes than `MAX_QUARTERS`.
        """
        self._close_measure(closes_repeat=False, double=True)
        return tuple(self._measures)

    def _alteration(self, accidental: str, letter: str, octave: int) -> int:
        """Semitones that its accidental, a tie, the bar or the key add to a note, in that order."""
        if accidental:
            return ACCIDENTALS[accidental]
        if self._tied_from and self._tied_from[:2] == (letter, octave):
            return self._tied_from[2]  # a tie carries its accidental over the barline
        in_bar = self._accidentals.get((letter, octave))
        return self.signature.get(letter, 0) if in_bar is None else in_bar

    def _pitch(self, accidental: str, letter: str, octave: int) -> int:
        """MIDI number of a note, whose accidental holds from here to the barline."""
        alteration = self._alteration(accidental, letter, octave)
        if accidental:
            self._accidentals[letter, octave] = alteration
        pitch = 60 + 12 * octave + SEMITONES[letter] + alteration
        if not 0 <= pitch <= 127:
            raise UnreadableScore(
                f"the note {letter} {octave} octaves from middle C",
                "notes from C,,,,, to g'''' are accepted",
            )
        return pitch

    def _add_note(self, pitch: int | None, duration: Fraction) -> None:
        """Add a note or rest; a tuplet and a broken rhythm change its duration."""
        if self._note_count >= self._max_notes:
            raise TooLong(f"more than {self._max_notes} notes", f"{self._max_notes} notes")
        self._note_count += 1
        factor, left = self._tuplet
        if left:
            duration *= factor
            self._tuplet = (factor, left - 1)
        if not self._notes:
            self._measure_meter = self.meter
        if self._next_factor:
            duration *= self._next_factor
            self._next_factor = None
        self._notes.append(AbcNote(pitch, duration, tied=False))
        self._tied_from = None

    def _add_chord(self, chord: NoteToken) -> None:
        """Add a note, or the top note of a chord."""
        pitches = [(self._pitch(*note), note) for note in chord.notes]
        self.has_chords = self.has_chords or len({pitch for pitch, _ in pitches}) > 1
        top, note = max(pitches, key=lambda pair: pair[0])
        # A tie after the chord is a tie of its top note, not of the note written last.
        self._last_pitch = (*note[1:], self._alteration(*note))
        self._add_note(top, chord.multiple * self.unit)

    def _add_rest(self, rest: NoteToken) -> None:
        """Add a rest; one of several bars gets its barlines."""
        self._last_pitch = None
        if not rest.full_bars:
            self._add_note(None, rest.multiple * self.unit)
            return
        bar = self.meter.bar_length if self.meter else Fraction(4)
        for number in range(max(1, int(rest.multiple))):
            if number:
                self._add_barline(BarToken("|", ""))
            self._add_note(None, bar)

    def _apply_mark(self, mark: str) -> None:
        """Tie the last note, begin an overlay, or break the rhythm."""
        if mark == "&":
            self._in_overlay = True
        elif mark != "-":
            self._break_rhythm(mark)
        elif self._notes and self._last_pitch:
            self._notes[-1] = self._notes[-1]._replace(tied=True)
            self._tied_from = self._last_pitch

    def _break_rhythm(self, marks: str) -> None:
        """Dot one of two notes and halve the other; n marks give 2 - 1/2^n and 1/2^n."""
        if not self._notes or self._next_factor:
            return
        short = Fraction(1, 2 ** len(marks))
        before, after = (2 - short, short) if marks[0] == ">" else (short, 2 - short)
        last = self._notes[-1]
        self._notes[-1] = last._replace(duration=last.duration * before)
        self._next_factor = after

    def _begin_tuplet(self, tuplet: TupletToken) -> None:
        """Let the next r notes be played p in the time of q."""
        compound = self.meter is not None and self.meter.is_compound
        q = tuplet.q or _TUPLET_NORMAL_NOTES.get(tuplet.p) or (3 if compound else 2)
        self._tuplet = (Fraction(q, tuplet.p), tuplet.r or tuplet.p)

    def _add_barline(self, bar: BarToken) -> None:
        """Close the measure; accidentals and an overlay end with it."""
        line = bar.barline
        closes_repeat = line.startswith(":")
        opens_repeat = line.endswith(":")
        double = closes_repeat or opens_repeat or "||" in line or "[" in line or "]" in line
        self._close_measure(closes_repeat=closes_repeat, double=double)
        self._opens_repeat = self._opens_repeat or opens_repeat
        self._starts_section = self._starts_section or double
        if bar.ending:
            self._endings = _ending_numbers(bar.ending)
        elif double:
            self._endings = ()
        self._accidentals.clear()
        self._in_overlay = False

    def _close_measure(self, *, closes_repeat: bool, double: bool) -> None:
        """Make a measure of the notes since the last barline; without any, mark the one before."""
        if self._notes:
            measure = AbcMeasure(
                tuple(self._notes),
                self._measure_length(),
                self._measure_meter,
                opens_repeat=self._opens_repeat,
                closes_repeat=closes_repeat,
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
                last,
                closes_repeat=last.closes_repeat or closes_repeat,
                ends_section=last.ends_section or double,
            )

    def _measure_length(self) -> Fraction:
        """Length of the notes since the last barline in quarter notes, within the limits."""
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
    """Parse ``1``, ``1,3`` or ``1-3``; numbers above `MAX_ENDING` are ignored."""
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip(".").partition("-")
        if first.isdigit() and len(first) == 1:
            end = int(last) if last.isdigit() and len(last) == 1 else int(first)
            numbers.update(range(int(first), min(end, MAX_ENDING) + 1))
    return tuple(sorted(numbers))
