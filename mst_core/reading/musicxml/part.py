"""One part of a MusicXML score, as it is written: measure by measure, every voice, exact times.

A measure is what stands between two barlines of the file. Pitches are those that sound: transposing
instruments are read at concert pitch. Grace notes, cue notes and notes that are not printed are
left out and counted; chord symbols, lyrics and all layout are passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from mst_core.errors import UnreadableScore
from mst_core.music import Key, Meter
from mst_core.reading.musicxml.elements import (
    BarSigns,
    has_jump,
    read_barlines,
    read_key,
    read_meter,
    read_nominal,
    read_pitch,
    read_tempo,
    read_transposition,
)
from mst_core.reading.musicxml.tree import ACCEPTED, Element

FINEST = 10**9
"""Largest denominator of a time: beyond it the note lengths have no beat in common."""
DRUM_CHANNEL = "10"
_SNARE = 38  # General MIDI: what an unpitched note is that does not say its instrument


class WrittenNote(NamedTuple):
    """A note on the page; times in quarter notes."""

    onset: Fraction
    """From the beginning of its measure."""
    duration: Fraction
    pitch: int
    voice: tuple[str, str]
    """Staff and voice, as they are numbered."""
    tied: bool
    """Whether it is tied to the next note of its pitch."""
    continues: bool
    """Whether a note before is tied to it."""
    drum: bool
    """Whether it has no pitch: ``pitch`` is then a General MIDI drum."""


@dataclass(frozen=True, slots=True)
class WrittenMeasure:
    """The music between two barlines, of all voices of a part."""

    notes: tuple[WrittenNote, ...]
    length: Fraction
    """Up to where its last voice comes, in quarter notes; 0 where nothing is written."""
    meter: Meter | None
    """The signature that holds; None for free meter."""
    signs: BarSigns
    implicit: bool
    """Whether it is not counted: a pickup, or the rest of a bar that was cut in two."""
    opens_section: bool
    """Whether a rehearsal mark stands over its beginning."""
    tempos: tuple[tuple[Fraction, float], ...]
    """Quarter notes from its beginning, quarter notes per minute."""


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part with all its measures."""

    name: str
    program: int | None
    """General MIDI program, 0 to 127; None where the file names none."""
    drums: bool
    """Whether nothing in it has a pitch."""
    key: Key | None
    """The first signature, as it sounds."""
    measures: tuple[WrittenMeasure, ...]
    found: Counter[str]
    """How often was met what a remark should tell: ``grace``, ``cue``, ``hidden``, ``rounded``,
    ``transposed``, ``keys``."""

    @property
    def size(self) -> int:
        """How many notes are written in it."""
        return sum(len(measure.notes) for measure in self.measures)


def read_part(heading: Element | None, measures: Sequence[Element]) -> WrittenPart:
    """Read a part from its ``<score-part>`` and its measures.

    Raises:
        UnreadableScore: for a number, a pitch or a meter that no music has.
    """
    heading = heading or Element("score-part", {})
    program = heading.number("midi-instrument", "midi-program")
    pen = _Pen(_drum_pitches(heading))
    written = tuple(pen.read(measure) for measure in measures)
    channel = heading.words("midi-instrument", "midi-channel")
    return WrittenPart(
        name=(heading.words("part-name") or heading.words("score-instrument", "instrument-name")),
        program=int(program) - 1 if program and 1 <= program <= 128 else None,
        drums=channel == DRUM_CHANNEL or pen.pitched == 0 < pen.found["unpitched"],
        key=pen.key,
        measures=written,
        found=pen.found,
    )


def _drum_pitches(heading: Element) -> dict[str, int]:
    """The MIDI number of each instrument of a drum kit, by its id."""
    numbers = {}
    for instrument in heading.every("midi-instrument"):
        number = instrument.number("midi-unpitched")
        if number is not None and 1 <= number <= 128:
            numbers[instrument.attributes.get("id", "")] = int(number) - 1
    return numbers


class _Pen:
    """Goes through the measures of a part and keeps what is valid: divisions, meter, place."""

    def __init__(self, drums: dict[str, int]) -> None:
        self.key: Key | None = None
        self.found: Counter[str] = Counter()
        self.pitched = 0
        self._drums = drums
        self._divisions = Fraction(1)
        self._transposition = 0
        self._meter: Meter | None = None
        self._here = Fraction(0)  # from the beginning of the measure
        self._reached = Fraction(0)
        self._struck = Fraction(0)  # where the last note began that is no further note of a chord
        self._notes: list[WrittenNote] = []
        self._tempos: list[tuple[Fraction, float]] = []
        self._mark = self._jump = False

    def read(self, measure: Element) -> WrittenMeasure:
        """Read the next measure."""
        self._here = self._reached = self._struck = Fraction(0)
        self._notes, self._tempos = [], []
        marked, self._mark, self._jump = self._mark, False, False
        meter = self._meter
        for sign in measure.children:
            if sign.name == "note":
                self._note(sign)
            elif sign.name == "backup":
                self._move(-self._length(sign))
            elif sign.name == "forward":
                self._move(self._length(sign))
            elif sign.name == "attributes":
                self._attributes(sign)
                # A signature behind the first note is a courtesy for the measure to come.
                meter = meter if self._reached else self._meter
            elif sign.name in ("direction", "sound"):
                marked = self._direction(sign) or marked
        signs = read_barlines(measure)
        self._jump = self._jump or signs.jumps
        self.found["jump"] += self._jump
        return WrittenMeasure(
            notes=tuple(self._notes),
            length=self._reached,
            meter=meter,
            signs=signs,
            implicit=measure.attributes.get("implicit") == "yes"
            or measure.attributes.get("number") == "0",
            opens_section=marked,
            tempos=tuple(self._tempos),
        )

    def _attributes(self, attributes: Element) -> None:
        divisions = attributes.number("divisions")
        if divisions is not None:
            if divisions <= 0:
                raise UnreadableScore(f"{divisions} divisions of a quarter note", ACCEPTED)
            self._divisions = divisions
        transpose = attributes.first("transpose")
        if transpose:
            self._transposition = read_transposition(transpose)
        key = attributes.first("key")
        if key:
            sounding = read_key(key, self._transposition)
            self.found["keys"] += self.key is not None and sounding != self.key
            self.key = self.key or sounding
        time = attributes.first("time")
        if time:
            self._meter = read_meter(time)

    def _direction(self, direction: Element) -> bool:
        """Take tempo and jumps; tell whether a rehearsal mark stands over the barline before."""
        tempo = read_tempo(direction)
        if tempo is not None:
            self._tempos.append((self._here, tempo))
        self._jump = self._jump or has_jump(direction)
        rehearsal = any(kind.first("rehearsal") for kind in direction.every("direction-type"))
        # Behind the last note it belongs to the next measure.
        self._mark = self._mark or (rehearsal and self._here > 0)
        return rehearsal and not self._here

    def _length(self, sign: Element) -> Fraction:
        """The duration of a sign in quarter notes.

        A tuplet that the divisions of the file cannot hold is written rounded; its shape tells
        what it lasts.
        """
        written = sign.number("duration")
        if written is None or written < 0:
            nominal = read_nominal(sign)
            if nominal is None:
                raise UnreadableScore(f"a <{sign.name}> without a duration", ACCEPTED)
            return nominal
        if sign.first("time-modification"):
            nominal = read_nominal(sign)
            if nominal is not None and abs(nominal * self._divisions - written) < 1:
                return nominal
        return written / self._divisions

    def _move(self, way: Fraction) -> None:
        self._here = max(Fraction(0), self._here + way)
        self._reached = max(self._reached, self._here)
        if self._here.denominator > FINEST:
            raise UnreadableScore("the note lengths have no beat in common", ACCEPTED)

    def _note(self, note: Element) -> None:
        duration = Fraction(0) if note.first("grace") else self._length(note)
        if not duration:
            self.found["grace"] += 1
            return
        if not note.first("chord"):
            self._struck = self._here
            self._move(duration)
        if note.first("rest"):
            return
        if note.first("cue") or note.attributes.get("print-object") == "no":
            self.found["cue" if note.first("cue") else "hidden"] += 1
            return
        ties = {tie.attributes.get("type") for tie in note.every("tie")}
        for notations in note.every("notations"):
            ties |= {tied.attributes.get("type") for tied in notations.every("tied")}
        self._notes.append(
            WrittenNote(
                onset=self._struck,
                duration=duration,
                pitch=self._pitch(note),
                voice=(note.words("staff") or "1", note.words("voice") or "1"),
                tied=not ties.isdisjoint(("start", "continue")),
                continues=not ties.isdisjoint(("stop", "continue")),
                drum=note.first("pitch") is None,
            )
        )

    def _pitch(self, note: Element) -> int:
        pitch = note.first("pitch")
        if pitch is None:
            self.found["unpitched"] += 1
            instrument = note.first("instrument")
            return self._drums.get(
                instrument.attributes.get("id", "") if instrument else "", _SNARE
            )
        number, rounded = read_pitch(pitch, self._transposition)
        self.pitched += 1
        self.found["rounded"] += rounded
        self.found["transposed"] += self._transposition != 0
        return number
