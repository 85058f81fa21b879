"""Builds the measures of one ABC voice from its tokens.

All state that one token leaves for the next is here: the signature, accidentals of the bar, the
unit of length, the meter, tuplets or a broken rhythm that are not complete, open repeats and
endings, grace notes and a chord symbol that wait for their note.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from mst_core.errors import TooLong, UnreadableScore
from mst_core.music import SEMITONES, Key, Meter
from mst_core.reading.abc.fields import ACCIDENTALS
from mst_core.reading.abc.repairs import end_second_endings, fill_pairs, split_at_bars
from mst_core.reading.abc.tokens import (
    BarToken,
    MarkToken,
    NoteToken,
    Token,
    TupletToken,
    ending_numbers,
)
from mst_core.reading.abc.tune import AbcMeasure, AbcNote, Place
from mst_core.reading.chord_symbols import lead_sheet_chord

MAX_QUARTERS = 40_000
"""Longest voice, in quarter notes."""
MAX_DENOMINATOR = 100_000
"""Largest denominator of a measure's length: above it the notes have no common beat."""
_NO_COMMON_BEAT = "note lengths that have no beat in common"
_COMMON_BEATS = "write them as 1/2, 3/2, 1/4"
MAX_GRACE_NOTES = 16
"""Grace notes that are kept before a note."""
MAX_TUPLET_DEPTH = 4
_ANNOTATION_MARKS = ("^", "_", "<", ">", "@")
Propagation = Literal["octave", "pitch", "not", "lowered"]
"""How far an accidental holds in its bar: for its octave, for its letter in every octave, or for
its own note only. ``lowered``, for files that do not say: in its octave, and in every octave where
it makes the letter lower than the key does, since such a bar has left the key: ``=cG EC`` in D is a
chord of C, but ``A^GA g`` in A minor has both."""
_EVERY_OCTAVE = 99  # beside the octaves of letters
_TUPLET_NORMAL_NOTES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""q of the tuplet ``(p``; for 5, 7 and 9 it is 3 in a compound meter, else 2 (ABC standard 2.1)."""


class VoiceBuilder:
    """Collects the measures of a voice; signature, unit and meter may be set between tokens."""

    def __init__(
        self, signature: dict[str, int], unit: Fraction, meters: tuple[Meter, ...], max_notes: int
    ) -> None:
        self.signature = signature
        """Semitones that the key adds to a letter."""
        self.unit = unit
        """Quarter notes of a note without a length."""
        self.meters = meters
        """Empty for free meter; of several, a measure has the one of its length."""
        self.shifts: dict[str, int] = {}
        """Semitones that the whole sound is moved by, by the setting that says so."""
        self.propagation: Propagation = "lowered"
        self.without_barlines = False
        """Whether the tune has no barlines, so that its bars are those of the meter."""
        self.has_chords = False
        """Whether there was a chord, of which only the top note is kept."""
        self.syllables = 0
        """Syllables of the words below its notes."""
        self.added_barlines = 0
        """Barlines that were missing within a line."""
        self.added_signs = 0
        """Repeat signs that were missing between a first and a second ending."""
        self.filled_pairs = 0
        """Dotted pairs of which the short note was written short already."""
        self.has_overlay = False
        """Whether a second voice within bars was left out."""
        self.tempos: list[tuple[Place, float]] = []
        """Changes of tempo."""
        self.parts: list[tuple[str, int]] = []
        """Name and first measure of each part that a P: field begins."""
        self.keys: list[tuple[Place, Key]] = []
        """Changes of key."""
        self._max_notes = max_notes
        self._measures: list[AbcMeasure] = []
        self._notes: list[AbcNote] = []  # of the measure that is not closed
        self._note_count = 0
        self._quarters = Fraction(0)
        self._measure_meters = meters
        self._accidentals: dict[tuple[str, int], int] = {}  # (letter, octave): semitones
        self._open_length = Fraction(0)  # of the notes since the last barline
        self._doubly_short: list[tuple[int, Fraction]] = []  # notes halved twice: index, length
        self._written_before = Fraction(0)  # length of the last note without its broken rhythm
        self._tied_from: tuple[str, int, int] | None = None  # letter, octave, alteration
        self._last_pitch: tuple[str, int, int] | None = None
        self._next_factor: Fraction | None = None  # of the second note of a broken rhythm
        self._tuplets: list[tuple[Fraction, int]] = []  # factor, notes left; the innermost last
        self._counts_notes = False  # whether the innermost tuplet names its number of notes
        self._opens_repeat = self._starts_section = False
        self._endings: tuple[int, ...] = ()
        self._in_overlay = False  # from an & to the next barline
        self._in_grace = False  # from a { to its }
        self._graces: list[int] = []  # that wait for their note
        self._chord = ""  # a chord symbol that waits for its note

    @property
    def is_empty(self) -> bool:
        """Whether no note and no rest was added yet."""
        return not self._measures and not self._notes

    @property
    def finished_notes(self) -> bool:
        """Whether a note sounds in the measures that are closed."""
        return any(note.pitch is not None for each in self._measures for note in each.notes)

    @property
    def place(self) -> Place:
        """Where the next note will be."""
        return len(self._measures), self._open_length

    @property
    def transposition(self) -> int:
        """Semitones by which the voice sounds above what is written."""
        return sum(self.shifts.values())

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
        elif isinstance(token, NoteToken) and token.notes and self._in_grace:
            self._graces.append(max(self._pitch(*note) for note in token.notes))
        elif isinstance(token, NoteToken) and token.notes:
            self._add_chord(token)
        elif isinstance(token, NoteToken):
            self._add_rest(token)
        elif isinstance(token, TupletToken):
            self._begin_tuplet(token)
        elif isinstance(token, MarkToken):
            self._apply_mark(token.text)

    def begin_part(self, name: str) -> None:
        """Begin a part of the tune, as a P: field does.

        Args:
            name: Such as ``A``.
        """
        self._starts_section = True
        self.parts.append((name, len(self._measures) + bool(self._notes)))

    def end_line(self) -> None:
        """End a line of the text: a bar that is just full ends with it, barline or not.

        Its accidentals hold on, since programs that leave out the barline write them only once.
        """
        meter = next(iter(self.meters), None)
        if not meter or not self._notes or self._next_factor:
            return
        if self._open_length % meter.bar_length == 0:
            self._close_measure(closes_repeat=False, double=False)

    def finish(self) -> tuple[AbcMeasure, ...]:
        """Close the last measure and return all of them.

        Raises:
            UnreadableScore: for note lengths without a common beat.
            TooLong: when there are more quarter notes than `MAX_QUARTERS`.
        """
        self._close_measure(closes_repeat=False, double=True)
        return end_second_endings(self._measures)

    def _alteration(self, accidental: str, letter: str, octave: int) -> int:
        """Semitones that its accidental, a tie, the bar or the key add to a note, in that order."""
        if accidental:
            return ACCIDENTALS[accidental]
        if self._tied_from and self._tied_from[:2] == (letter, octave):
            return self._tied_from[2]  # a tie carries its accidental over the barline
        in_bar = self._accidentals.get((letter, octave))
        if in_bar is None:
            in_bar = self._accidentals.get((letter, _EVERY_OCTAVE))
        return self.signature.get(letter, 0) if in_bar is None else in_bar

    def _hold(self, letter: str, octave: int, alteration: int) -> None:
        """Let an accidental hold up to the barline, as far as accidentals do in this voice."""
        if self.propagation == "not":
            return
        self._accidentals[letter, octave] = alteration
        lowers = alteration < self.signature.get(letter, 0)
        if self.propagation == "pitch" or (self.propagation == "lowered" and lowers):
            for key in [key for key in self._accidentals if key[0] == letter]:
                del self._accidentals[key]
            self._accidentals[letter, _EVERY_OCTAVE] = alteration
        elif self.propagation == "lowered":
            self._accidentals.pop((letter, _EVERY_OCTAVE), None)

    def _pitch(self, accidental: str, letter: str, octave: int) -> int:
        """MIDI number of a note, whose accidental holds from here to the barline."""
        alteration = self._alteration(accidental, letter, octave)
        if accidental:
            self._hold(letter, octave, alteration)
        pitch = 60 + 12 * octave + SEMITONES[letter] + alteration + self.transposition
        if not 0 <= pitch <= 127:
            raise UnreadableScore(
                f"the note {letter} {octave} octaves from middle C",
                "notes from C,,,,, to g'''' are accepted",
            )
        return pitch

    def _add_note(self, pitch: int | None, duration: Fraction, below: tuple[int, ...] = ()) -> None:
        """Add a note or rest; a tuplet and a broken rhythm change its duration."""
        if self._note_count >= self._max_notes:
            raise TooLong(f"more than {self._max_notes} notes", f"{self._max_notes} notes")
        self._note_count += 1
        for factor, _ in self._tuplets:
            duration *= factor
        self._tuplets = [(factor, left - 1) for factor, left in self._tuplets if left > 1]
        if not self._notes:
            self._measure_meters = self.meters
        written = duration
        if self._next_factor:
            if self._next_factor < 1 and duration == self._written_before * self._next_factor:
                self._doubly_short.append((len(self._notes), duration))
            duration *= self._next_factor
            self._next_factor = None
        self._open_length += duration
        if self._open_length.denominator > MAX_DENOMINATOR:
            raise UnreadableScore(_NO_COMMON_BEAT, _COMMON_BEATS)
        self._written_before = written
        graces = () if pitch is None else tuple(self._graces[:MAX_GRACE_NOTES])
        self._notes.append(AbcNote(pitch, duration, False, graces, self._chord, below))
        self._chord = ""
        if pitch is not None:
            self._graces.clear()
        self._tied_from = None

    def _forget_accidentals(self) -> None:
        """Let accidentals end with the bar where a tune has no barlines."""
        if not self.without_barlines or not self.meters:
            return
        if self._open_length % self.meters[0].bar_length == 0:
            self._accidentals.clear()

    def _add_chord(self, chord: NoteToken) -> None:
        """Add a note, or the top note of a chord."""
        self._forget_accidentals()
        pitches = [(self._pitch(*note), note) for note in chord.notes]
        self.has_chords = self.has_chords or len({pitch for pitch, _ in pitches}) > 1
        top, note = max(pitches, key=lambda pair: pair[0])
        # A tie after the chord is a tie of its top note, not of the note written last.
        self._last_pitch = (*note[1:], self._alteration(*note))
        below = tuple(sorted({pitch for pitch, _ in pitches} - {top}))
        self._add_note(top, chord.multiple * self.unit, below)

    def _add_rest(self, rest: NoteToken) -> None:
        """Add a rest; one of several bars gets its barlines."""
        self._last_pitch = None
        if not rest.full_bars:
            self._add_note(None, rest.multiple * self.unit)
            return
        bar = self.meters[0].bar_length if self.meters else Fraction(4)
        for number in range(max(1, int(rest.multiple))):
            if number:
                self._add_barline(BarToken("|", ""))
            self._add_note(None, bar)

    def _apply_mark(self, mark: str) -> None:
        """Tie the last note, begin an overlay or grace notes, keep a chord, break the rhythm."""
        if mark == "&":
            self._in_overlay = self.has_overlay = True
        elif mark in "{}":
            self._in_grace = mark == "{"
        elif mark.startswith('"'):
            self._keep_chord(mark[1:])
        elif mark != "-":
            self._break_rhythm(mark)
        elif self._last_pitch and self._notes:
            self._notes[-1] = self._notes[-1]._replace(tied=True)
            self._tied_from = self._last_pitch
        elif self._last_pitch and self._measures:
            self._tie_over_barline()

    def _tie_over_barline(self) -> None:
        """Tie the last note of the measure before, for a tie that is written after its barline."""
        last = self._measures[-1]
        tied = last.notes[-1]._replace(tied=last.notes[-1].pitch is not None)
        self._measures[-1] = replace(last, notes=(*last.notes[:-1], tied))
        self._tied_from = self._last_pitch

    def _keep_chord(self, text: str) -> None:
        """Keep a chord symbol for the next note; the first of several is the one that counts."""
        if self._chord or text.startswith(_ANNOTATION_MARKS):
            return
        self._chord = lead_sheet_chord(re.split(r";|\\n|\sor\s", text, maxsplit=1)[0]) or ""

    def _break_rhythm(self, marks: str) -> None:
        """Dot one of two notes and halve the other; n marks give 2 - 1/2^n and 1/2^n."""
        if not self._notes or self._next_factor:
            return
        short = Fraction(1, 2 ** len(marks))
        before, after = (2 - short, short) if marks[0] == ">" else (short, 2 - short)
        last = self._notes[-1]
        self._notes[-1] = last._replace(duration=last.duration * before)
        self._open_length += last.duration * (before - 1)
        self._next_factor = after

    def _begin_tuplet(self, tuplet: TupletToken) -> None:
        """Let the next r notes be played p in the time of q."""
        if tuplet.p < 2:
            return
        compound = bool(self.meters) and self.meters[0].is_compound
        q = tuplet.q or _TUPLET_NORMAL_NOTES.get(tuplet.p) or (3 if compound else 2)
        inner = (Fraction(q, tuplet.p), tuplet.r or tuplet.p)
        # A tuplet within another one is meant where the outer one says how many notes it has.
        nested = self._counts_notes and inner[1] <= (self._tuplets or [inner])[-1][1]
        outer = self._tuplets if nested and len(self._tuplets) < MAX_TUPLET_DEPTH else []
        self._tuplets = [*outer, inner]
        self._counts_notes = tuplet.r > 0

    def _add_barline(self, bar: BarToken) -> None:
        """Close the measure; accidentals and an overlay end with it."""
        line = bar.barline
        closes_repeat = line.startswith(":")
        if bar.ending and self._endings == (1,) and ending_numbers(bar.ending) == (2,):
            # Some write no repeat sign between the endings.
            self.added_signs += not closes_repeat and not self._was_closed()
            closes_repeat = True
        opens_repeat = line.endswith(":")
        double = closes_repeat or opens_repeat or "||" in line or "[" in line or "]" in line
        self._close_measure(closes_repeat=closes_repeat, double=double)
        self._opens_repeat = self._opens_repeat or opens_repeat
        self._starts_section = self._starts_section or double
        if bar.ending:
            self._endings = ending_numbers(bar.ending)
        elif double:
            self._endings = ()
        self._accidentals.clear()
        self._in_overlay = False

    def _was_closed(self) -> bool:
        """Whether the last measure ends with a repeat sign, and no note came since."""
        return not self._notes and bool(self._measures) and self._measures[-1].closes_repeat

    def _close_measure(self, *, closes_repeat: bool, double: bool) -> None:
        """Make a measure of the notes since the last barline; without any, mark the one before."""
        if self._notes:
            bar = self._measure_meters[0].bar_length if self._measure_meters else None
            if bar:
                self.filled_pairs += fill_pairs(self._notes, self._doubly_short, bar)
            self._count_length()
            bars = split_at_bars(self._notes, bar if len(self._measure_meters) == 1 else None)
            self.added_barlines += len(bars) - 1
            for number, notes in enumerate(bars, start=1):
                self._add_measure(
                    notes,
                    closes_repeat=closes_repeat and number == len(bars),
                    double=double and number == len(bars),
                )
            self._notes.clear()
            self._doubly_short.clear()
            self._open_length = Fraction(0)
        elif self._measures:
            last = self._measures[-1]
            self._measures[-1] = replace(
                last,
                closes_repeat=last.closes_repeat or closes_repeat,
                ends_section=last.ends_section or double,
            )

    def _add_measure(
        self, notes: tuple[AbcNote, ...], *, closes_repeat: bool, double: bool
    ) -> None:
        """Add a measure with the signs that wait for it."""
        length = sum((note.duration for note in notes), Fraction(0))
        measure = AbcMeasure(
            notes,
            length,
            self._meter_of(length),
            opens_repeat=self._opens_repeat,
            closes_repeat=closes_repeat,
            starts_section=self._starts_section or not self._measures,
            ends_section=double,
            endings=self._endings,
        )
        self._measures.append(measure)
        self._opens_repeat = self._starts_section = False

    def _meter_of(self, length: Fraction) -> Meter | None:
        """The meter of a measure: of several that are named, the one of its length."""
        for meter in self._measure_meters:
            if meter.bar_length == length:
                return meter
        return self._measure_meters[0] if self._measure_meters else None

    def _count_length(self) -> None:
        """Count the quarters since the last barline, within the limit."""
        self._quarters += self._open_length
        if self._quarters > MAX_QUARTERS:
            raise TooLong(f"more than {MAX_QUARTERS} quarter notes", f"{MAX_QUARTERS} of them")
