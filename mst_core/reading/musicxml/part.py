"""Reads one part of a MusicXML score as it is written: measure by measure, every voice.

A measure is the music between two barlines of the file. Times are exact; pitches are those that
sound, so that transposing instruments are read at concert pitch. Grace notes, cue notes and notes
that are not printed are left out and counted; chord symbols, lyrics and layout are skipped.
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
    XmlBarlines,
    has_jump,
    read_barlines,
    read_key,
    read_meter,
    read_nominal_duration,
    read_pitch,
    read_tempo,
    read_transposition,
)
from mst_core.reading.musicxml.tree import ACCEPTED, XmlElement

MAX_DENOMINATOR = 10**9
"""Largest denominator of a time: above it the notes have no common beat."""
DRUM_CHANNEL = "10"
"""The MIDI channel of percussion, as MusicXML counts from 1."""
_SNARE = 38  # General MIDI drum of an unpitched note without an instrument


class XmlNote(NamedTuple):
    """A written note."""

    onset: Fraction
    """Quarter notes from the beginning of its measure, or from the first downbeat of the score."""
    duration: Fraction
    """Quarter notes, above 0."""
    pitch: int
    """MIDI number; a General MIDI drum where ``drum``."""
    voice: tuple[str, str]
    """Staff and voice, as the file numbers them."""
    tie_start: bool
    """Whether it is tied to the next note of its pitch."""
    tie_stop: bool
    """Whether the note of its pitch before it is tied to it."""
    drum: bool
    """Whether it is written without a pitch."""


@dataclass(frozen=True, slots=True)
class XmlMeasure:
    """The music between two barlines, of all voices of a part."""

    notes: tuple[XmlNote, ...]
    length: Fraction
    """Quarter notes up to the end of its longest voice; 0 where nothing is written."""
    meter: Meter | None
    """The time signature that holds; None for free meter."""
    barlines: XmlBarlines
    implicit: bool
    """Whether it has no number of its own: a pickup, or the rest of a bar that was cut in two."""
    opens_section: bool
    """Whether a rehearsal mark stands at its beginning."""
    tempos: tuple[tuple[Fraction, float], ...]
    """Tempo marks: quarter notes from its beginning, and quarter notes per minute."""


@dataclass(frozen=True, slots=True)
class XmlPart:
    """A part with all its measures."""

    name: str
    program: int | None
    """General MIDI program, 0 to 127; None where the file names none."""
    drums: bool
    """Whether it is percussion: on the drum channel, or without any pitch."""
    key: Key | None
    """The first key signature, as it sounds."""
    measures: tuple[XmlMeasure, ...]
    counts: Counter[str]
    """How often the file has what is left out or changed: ``grace``, ``cue``, ``hidden``,
    ``rounded``, ``transposed``, ``unpitched``, ``keys`` (changes of key) and ``jump``."""

    @property
    def note_count(self) -> int:
        """Number of written notes, with every note of a chord and of a tie."""
        return sum(len(measure.notes) for measure in self.measures)


def read_part(score_part: XmlElement | None, measures: Sequence[XmlElement]) -> XmlPart:
    """Read a part.

    Args:
        score_part: Its entry in the part list, with name and MIDI program; None where it has none.
        measures: Its ``<measure>`` elements in order.

    Returns:
        The part as it is written.

    Raises:
        UnreadableScore: when a number, pitch or meter is out of range.
    """
    score_part = score_part or XmlElement("score-part", {})
    program = score_part.find_number("midi-instrument", "midi-program")
    reader = _MeasureReader(_drum_pitches(score_part))
    written = tuple(reader.read(measure) for measure in measures)
    channel = score_part.find_text("midi-instrument", "midi-channel")
    name = score_part.find_text("part-name")
    return XmlPart(
        name=name or score_part.find_text("score-instrument", "instrument-name"),
        program=int(program) - 1 if program and 1 <= program <= 128 else None,
        drums=channel == DRUM_CHANNEL or reader.pitched_count == 0 < reader.counts["unpitched"],
        key=reader.key,
        measures=written,
        counts=reader.counts,
    )


def _drum_pitches(score_part: XmlElement) -> dict[str, int]:
    """General MIDI drum of each instrument of a drum kit, by its id."""
    numbers = {}
    for instrument in score_part.find_all("midi-instrument"):
        number = instrument.find_number("midi-unpitched")
        if number is not None and 1 <= number <= 128:
            numbers[instrument.attributes.get("id", "")] = int(number) - 1
    return numbers


class _MeasureReader:
    """Reads the measures of a part in order; keeps divisions, meter and transposition between."""

    def __init__(self, drums: dict[str, int]) -> None:
        self.key: Key | None = None
        self.counts: Counter[str] = Counter()
        self.pitched_count = 0
        self._drums = drums
        self._divisions = Fraction(1)
        self._transposition = 0
        self._meter: Meter | None = None
        self._position = Fraction(0)  # quarter notes from the beginning of the measure
        self._measure_end = Fraction(0)
        self._chord_onset = Fraction(0)  # of the last note, or of the chord that it belongs to
        self._notes: list[XmlNote] = []
        self._tempos: list[tuple[Fraction, float]] = []
        self._mark_pending = self._has_jump = False

    def read(self, measure: XmlElement) -> XmlMeasure:
        """Read the next measure."""
        self._position = self._measure_end = self._chord_onset = Fraction(0)
        self._notes, self._tempos = [], []
        marked, self._mark_pending, self._has_jump = self._mark_pending, False, False
        meter = self._meter
        for element in measure.children:
            if element.name == "note":
                self._note(element)
            elif element.name == "backup":
                self._advance(-self._duration(element))
            elif element.name == "forward":
                self._advance(self._duration(element))
            elif element.name == "attributes":
                self._attributes(element)
                # A signature after the first note announces the meter of the next measure.
                meter = meter if self._measure_end else self._meter
            elif element.name in ("direction", "sound"):
                marked = self._direction(element) or marked
        barlines = read_barlines(measure)
        self._has_jump = self._has_jump or barlines.jumps
        self.counts["jump"] += self._has_jump
        return XmlMeasure(
            notes=tuple(self._notes),
            length=self._measure_end,
            meter=meter,
            barlines=barlines,
            implicit=measure.attributes.get("implicit") == "yes"
            or measure.attributes.get("number") == "0",
            opens_section=marked,
            tempos=tuple(self._tempos),
        )

    def _attributes(self, attributes: XmlElement) -> None:
        """Read divisions, transposition, key and meter."""
        divisions = attributes.find_number("divisions")
        if divisions is not None:
            if divisions <= 0:
                raise UnreadableScore(f"{divisions} divisions of a quarter note", ACCEPTED)
            self._divisions = divisions
        transpose = attributes.find("transpose")
        if transpose:
            self._transposition = read_transposition(transpose)
        key = attributes.find("key")
        if key:
            sounding = read_key(key, self._transposition)
            self.counts["keys"] += self.key is not None and sounding != self.key
            self.key = self.key or sounding
        time = attributes.find("time")
        if time:
            self._meter = read_meter(time)

    def _direction(self, direction: XmlElement) -> bool:
        """Read tempo and jumps; return whether a rehearsal mark precedes the first note."""
        tempo = read_tempo(direction)
        if tempo is not None:
            self._tempos.append((self._position, tempo))
        self._has_jump = self._has_jump or has_jump(direction)
        rehearsal = any(kind.find("rehearsal") for kind in direction.find_all("direction-type"))
        # A mark after the beginning belongs to the next measure.
        self._mark_pending = self._mark_pending or (rehearsal and self._position > 0)
        return rehearsal and not self._position

    def _duration(self, element: XmlElement) -> Fraction:
        """Duration of an element in quarter notes.

        A tuplet that the file's divisions cannot express is written rounded; its duration is then
        that of its note value.
        """
        written = element.find_number("duration")
        if written is None or written < 0:
            nominal = read_nominal_duration(element)
            if nominal is None:
                raise UnreadableScore(f"a <{element.name}> without a duration", ACCEPTED)
            return nominal
        if element.find("time-modification"):
            nominal = read_nominal_duration(element)
            if nominal is not None and abs(nominal * self._divisions - written) < 1:
                return nominal
        return written / self._divisions

    def _advance(self, distance: Fraction) -> None:
        """Move the position; a backup may not go before the beginning."""
        self._position = max(Fraction(0), self._position + distance)
        self._measure_end = max(self._measure_end, self._position)
        if self._position.denominator > MAX_DENOMINATOR:
            raise UnreadableScore("the note lengths have no beat in common", ACCEPTED)

    def _note(self, note: XmlElement) -> None:
        """Read a note; a rest only moves the position."""
        duration = Fraction(0) if note.find("grace") else self._duration(note)
        if not duration:
            self.counts["grace"] += 1
            return
        if not note.find("chord"):
            self._chord_onset = self._position
            self._advance(duration)
        if note.find("rest"):
            return
        if note.find("cue") or note.attributes.get("print-object") == "no":
            self.counts["cue" if note.find("cue") else "hidden"] += 1
            return
        ties = {tie.attributes.get("type") for tie in note.find_all("tie")}
        for notations in note.find_all("notations"):
            ties |= {tied.attributes.get("type") for tied in notations.find_all("tied")}
        self._notes.append(
            XmlNote(
                onset=self._chord_onset,
                duration=duration,
                pitch=self._pitch(note),
                voice=(note.find_text("staff") or "1", note.find_text("voice") or "1"),
                tie_start=not ties.isdisjoint(("start", "continue")),
                tie_stop=not ties.isdisjoint(("stop", "continue")),
                drum=note.find("pitch") is None,
            )
        )

    def _pitch(self, note: XmlElement) -> int:
        """MIDI number of a note, or its General MIDI drum."""
        pitch = note.find("pitch")
        if pitch is None:
            self.counts["unpitched"] += 1
            instrument = note.find("instrument")
            return self._drums.get(
                instrument.attributes.get("id", "") if instrument else "", _SNARE
            )
        number, rounded = read_pitch(pitch, self._transposition)
        self.pitched_count += 1
        self.counts["rounded"] += rounded
        self.counts["transposed"] += self._transposition != 0
        return number
