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
"""Largest denominator of a time: beyond it the note lengths have no beat in common."""
DRUM_CHANNEL = "10"
_SNARE = 38  # General MIDI: what an unpitched note is that does not say its instrument


class XmlNote(NamedTuple):
    """A note on the page; times in quarter notes."""

    onset: Fraction
    """From the beginning of its measure."""
    duration: Fraction
    pitch: int
    voice: tuple[str, str]
    """Staff and voice, as they are numbered."""
    tie_start: bool
    """Whether it is tied to the next note of its pitch."""
    tie_stop: bool
    """Whether a note before is tied to it."""
    drum: bool
    """Whether it has no pitch: ``pitch`` is then a General MIDI drum."""


@dataclass(frozen=True, slots=True)
class XmlMeasure:
    """The music between two barlines, of all voices of a part."""

    notes: tuple[XmlNote, ...]
    length: Fraction
    """Up to where its last voice comes, in quarter notes; 0 where nothing is written."""
    meter: Meter | None
    """The signature that holds; None for free meter."""
    barlines: XmlBarlines
    implicit: bool
    """Whether it is not counted: a pickup, or the rest of a bar that was cut in two."""
    opens_section: bool
    """Whether a rehearsal mark stands over its beginning."""
    tempos: tuple[tuple[Fraction, float], ...]
    """Quarter notes from its beginning, quarter notes per minute."""


@dataclass(frozen=True, slots=True)
class XmlPart:
    """A part with all its measures."""

    name: str
    program: int | None
    """General MIDI program, 0 to 127; None where the file names none."""
    drums: bool
    """Whether nothing in it has a pitch."""
    key: Key | None
    """The first signature, as it sounds."""
    measures: tuple[XmlMeasure, ...]
    counts: Counter[str]
    """How often was met what a remark should tell: ``grace``, ``cue``, ``hidden``, ``rounded``,
    ``transposed``, ``keys``."""

    @property
    def note_count(self) -> int:
        """How many notes are written in it."""
        return sum(len(measure.notes) for measure in self.measures)


def read_part(score_part: XmlElement | None, measures: Sequence[XmlElement]) -> XmlPart:
    """Read a part from its ``<score-part>`` and its measures.

    Raises:
        UnreadableScore: for a number, a pitch or a meter that no music has.
    """
    score_part = score_part or XmlElement("score-part", {})
    program = score_part.find_number("midi-instrument", "midi-program")
    pen = _MeasureReader(_drum_pitches(score_part))
    written = tuple(pen.read(measure) for measure in measures)
    channel = score_part.find_text("midi-instrument", "midi-channel")
    return XmlPart(
        name=(
            score_part.find_text("part-name")
            or score_part.find_text("score-instrument", "instrument-name")
        ),
        program=int(program) - 1 if program and 1 <= program <= 128 else None,
        drums=channel == DRUM_CHANNEL or pen.pitched_count == 0 < pen.counts["unpitched"],
        key=pen.key,
        measures=written,
        counts=pen.counts,
    )


def _drum_pitches(heading: XmlElement) -> dict[str, int]:
    """The MIDI number of each instrument of a drum kit, by its id."""
    numbers = {}
    for instrument in heading.find_all("midi-instrument"):
        number = instrument.find_number("midi-unpitched")
        if number is not None and 1 <= number <= 128:
            numbers[instrument.attributes.get("id", "")] = int(number) - 1
    return numbers


class _MeasureReader:
    """Goes through the measures of a part and keeps what is valid: divisions, meter, place."""

    def __init__(self, drums: dict[str, int]) -> None:
        self.key: Key | None = None
        self.counts: Counter[str] = Counter()
        self.pitched_count = 0
        self._drums = drums
        self._divisions = Fraction(1)
        self._transposition = 0
        self._meter: Meter | None = None
        self._position = Fraction(0)  # from the beginning of the measure
        self._measure_end = Fraction(0)
        self._chord_onset = Fraction(
            0
        )  # where the last note began that is no further note of a chord
        self._notes: list[XmlNote] = []
        self._tempos: list[tuple[Fraction, float]] = []
        self._mark_pending = self._has_jump = False

    def read(self, measure: XmlElement) -> XmlMeasure:
        """Read the next measure."""
        self._position = self._measure_end = self._chord_onset = Fraction(0)
        self._notes, self._tempos = [], []
        marked, self._mark_pending, self._has_jump = self._mark_pending, False, False
        meter = self._meter
        for sign in measure.children:
            if sign.name == "note":
                self._note(sign)
            elif sign.name == "backup":
                self._advance(-self._duration(sign))
            elif sign.name == "forward":
                self._advance(self._duration(sign))
            elif sign.name == "attributes":
                self._attributes(sign)
                # A signature behind the first note is a courtesy for the measure to come.
                meter = meter if self._measure_end else self._meter
            elif sign.name in ("direction", "sound"):
                marked = self._direction(sign) or marked
        signs = read_barlines(measure)
        self._has_jump = self._has_jump or signs.jumps
        self.counts["jump"] += self._has_jump
        return XmlMeasure(
            notes=tuple(self._notes),
            length=self._measure_end,
            meter=meter,
            barlines=signs,
            implicit=measure.attributes.get("implicit") == "yes"
            or measure.attributes.get("number") == "0",
            opens_section=marked,
            tempos=tuple(self._tempos),
        )

    def _attributes(self, attributes: XmlElement) -> None:
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
        """Take tempo and jumps; tell whether a rehearsal mark stands over the barline before."""
        tempo = read_tempo(direction)
        if tempo is not None:
            self._tempos.append((self._position, tempo))
        self._has_jump = self._has_jump or has_jump(direction)
        rehearsal = any(kind.find("rehearsal") for kind in direction.find_all("direction-type"))
        # Behind the last note it belongs to the next measure.
        self._mark_pending = self._mark_pending or (rehearsal and self._position > 0)
        return rehearsal and not self._position

    def _duration(self, sign: XmlElement) -> Fraction:
        """The duration of a sign in quarter notes.

        A tuplet that the divisions of the file cannot hold is written rounded; its shape tells
        what it lasts.
        """
        written = sign.find_number("duration")
        if written is None or written < 0:
            nominal = read_nominal_duration(sign)
            if nominal is None:
                raise UnreadableScore(f"a <{sign.name}> without a duration", ACCEPTED)
            return nominal
        if sign.find("time-modification"):
            nominal = read_nominal_duration(sign)
            if nominal is not None and abs(nominal * self._divisions - written) < 1:
                return nominal
        return written / self._divisions

    def _advance(self, way: Fraction) -> None:
        self._position = max(Fraction(0), self._position + way)
        self._measure_end = max(self._measure_end, self._position)
        if self._position.denominator > MAX_DENOMINATOR:
            raise UnreadableScore("the note lengths have no beat in common", ACCEPTED)

    def _note(self, note: XmlElement) -> None:
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
