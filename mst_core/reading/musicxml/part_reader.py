"""Reads one part of a MusicXML score as it is written: measure by measure, every voice.

A measure is the music between two barlines of the file. Times are exact; pitches are those that
sound, so that transposing instruments are read at concert pitch. Cue notes and notes that are not
printed are left out and counted; lyrics and layout are skipped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

from mst_core.errors import UnreadableScore
from mst_core.music import Key, Meter
from mst_core.reading.musicxml.elements import (
    has_jump,
    read_barlines,
    read_key,
    read_meter,
    read_nominal_duration,
    read_pitch,
    read_swing,
    read_tempo,
    read_tempo_word,
    read_transposition,
    states_mode,
)
from mst_core.reading.musicxml.harmony import read_chord_symbol
from mst_core.reading.musicxml.instruments import (
    XmlControl,
    XmlInstruments,
    read_controls,
    read_drum,
    read_instruments,
    read_pedal,
)
from mst_core.reading.musicxml.part import DEFAULT_VELOCITY, XmlMeasure, XmlNote, XmlPart
from mst_core.reading.musicxml.position import MeasurePosition, settle
from mst_core.reading.musicxml.tree import ACCEPTED, XmlElement

_FULL_DYNAMICS = 90  # MIDI velocity that MusicXML calls 100 per cent
_MAX_ORNAMENT = 16  # grace notes before one note


def read_part(
    score_part: XmlElement | None,
    measures: Sequence[XmlElement],
    divisions: Fraction | None = None,
) -> XmlPart:
    """Read a part.

    Args:
        score_part: Its entry in the part list, with name and MIDI program; None where it has none.
        measures: Its ``<measure>`` elements in order.
        divisions: Divisions of a quarter note up to the first that the part names; None is 1.

    Returns:
        The part as it is written.

    Raises:
        UnreadableScore: when a number or pitch is out of range.
    """
    score_part = score_part or XmlElement("score-part", {})
    instruments = read_instruments(score_part)
    reader = _MeasureReader(instruments, divisions or Fraction(1))
    written = tuple(reader.read(measure) for measure in measures)
    name = score_part.find_text("part-name")
    return XmlPart(
        name=name or score_part.find_text("score-instrument", "instrument-name"),
        program=instruments.program,
        drums=instruments.on_drum_channel or reader.pitched_count == 0 < reader.counts["unpitched"],
        key=reader.key,
        measures=written,
        counts=reader.counts,
        controls=instruments.controls,
        swing=reader.swing,
        tempo_word=reader.tempo_word,
    )


def find_divisions(measures: Iterable[XmlElement]) -> Fraction | None:
    """Find the divisions of a quarter note that hold before a part names any.

    Args:
        measures: Its ``<measure>`` elements in order.

    Returns:
        Those of its first note with a note value, where no ``<divisions>`` precedes it; else the
        first that it names; None where it has neither.
    """
    for measure in measures:
        for element in measure.children:
            divisions = element.find_number("divisions") if element.name == "attributes" else None
            if divisions:
                return divisions
            if element.name != "note" or element.find("time-modification"):
                continue
            written, nominal = element.find_number("duration"), read_nominal_duration(element)
            if written and nominal:
                return written / nominal
    return None


class _MeasureReader:
    """Reads the measures of a part in order; keeps divisions, meter and transposition between."""

    def __init__(self, instruments: XmlInstruments, divisions: Fraction) -> None:
        self.key: Key | None = None
        self.counts: Counter[str] = Counter()
        self.pitched_count = 0
        self.swing: float | None = None
        self.tempo_word: tuple[str, float] | None = None
        self._instruments = instruments
        self._divisions = divisions
        self._transposition = 0
        self._meter: Meter | None = None
        self._current_key: Key | None = None
        self._velocity = DEFAULT_VELOCITY
        self._instrument = next(iter(instruments.programs), "")
        self._graces: dict[tuple[str, str], list[int]] = {}
        self._tab_staves: set[str] = set()
        self._drum_staves: set[str] = set()
        self._staff_count = 1
        self._repeat_signs: dict[str, int] = {}  # measures back, by staff
        self._has_jump = self._mark_pending = False
        self._begin_measure()

    def _begin_measure(self) -> None:
        self._at = MeasurePosition()
        self._chord_onset = Fraction(0)  # of the last note, or of the chord that it belongs to
        self._chord_voice = ("1", "1")
        self._layers: dict[tuple[str, str], tuple[int, Fraction, Fraction]] = {}
        self._notes: list[XmlNote] = []
        self._rests: list[tuple[tuple[str, str], Fraction, Fraction]] = []
        self._tempos: list[tuple[Fraction, float]] = []
        self._chords: list[tuple[Fraction, str]] = []
        self._controls: list[XmlControl] = []

    def read(self, measure: XmlElement) -> XmlMeasure:
        """Read the next measure."""
        self._begin_measure()
        marked, self._mark_pending, self._has_jump = self._mark_pending, False, False
        meter, key = self._meter, self._current_key
        for element in measure.children:
            if element.name == "note":
                self._note(element)
            elif element.name == "backup":
                self._at.move(-self._duration(element)[0])
            elif element.name == "forward":
                self._at.move(self._duration(element)[0])
            elif element.name == "attributes":
                self._attributes(element)
                # A signature after the first note announces those of the next measure.
                if not self._at.end:
                    meter, key = self._meter, self._current_key
            elif element.name in ("direction", "sound"):
                marked = self._direction(element) or marked
            elif element.name == "harmony":
                self._harmony(element)
        barlines = read_barlines(measure)
        self._has_jump = self._has_jump or barlines.jumps
        self.counts["jump"] += self._has_jump
        return XmlMeasure(
            notes=tuple(self._notes),
            length=self._at.end,
            meter=meter,
            barlines=barlines,
            implicit=measure.attributes.get("implicit") == "yes"
            or measure.attributes.get("number") == "0",
            opens_section=marked,
            tempos=tuple(self._tempos),
            key=key,
            chords=tuple(self._chords),
            controls=tuple(self._controls),
            rests=tuple(self._rests),
            repeats_back=tuple(self._repeat_signs.items()),
        )

    def _attributes(self, attributes: XmlElement) -> None:
        """Read divisions, transposition, key, meter, clefs and repeat signs."""
        divisions = attributes.find_number("divisions")
        if divisions is not None:
            if divisions <= 0:
                raise UnreadableScore(f"{divisions} divisions of a quarter note", ACCEPTED)
            self._divisions = divisions
        transpose = attributes.find("transpose")
        if transpose:
            self._transposition = read_transposition(transpose)
        # A part of two staves may have a key for each.
        keys = list(attributes.find_all("key"))
        keys = [key for key in keys if key.attributes.get("number", "1") == "1"] or (
            [] if self.key else keys
        )
        for key_signature in keys[:1]:
            sounding = read_key(key_signature, self._transposition)
            self._current_key = sounding or self._current_key
            self.counts["modes"] += states_mode(key_signature)
            self.key = self.key or self._current_key
        time = attributes.find("time")
        if time:
            self._meter = read_meter(time)
            self.counts["meters"] += self._meter is None and not time.find("senza-misura")
        staves = attributes.find_text("staves")
        self._staff_count = int(staves) if staves in ("2", "3", "4") else self._staff_count
        for clef in attributes.find_all("clef"):
            staff, sign = clef.attributes.get("number", "1"), clef.find_text("sign")
            if sign == "TAB":
                self._tab_staves.add(staff)
            self._drum_staves.discard(staff)
            if sign == "percussion":
                self._drum_staves.add(staff)
        for style in attributes.find_all("measure-style"):
            self._measure_repeat(style)
            self.counts["slashes"] += any(
                sign.attributes.get("type") == "start"
                for name in ("slash", "beat-repeat")
                for sign in style.find_all(name)
            )

    def _measure_repeat(self, style: XmlElement) -> None:
        """Read where a sign that repeats the measures before it begins or ends to hold."""
        for sign in style.find_all("measure-repeat"):
            staff = style.attributes.get("number", "")
            self._repeat_signs.pop(staff, None)
            back = sign.find_text() or "1"
            if sign.attributes.get("type") == "start" and back in ("1", "2", "4"):
                self._repeat_signs[staff] = int(back)

    def _direction(self, direction: XmlElement) -> bool:
        """Read tempo, dynamics, pedal and jumps; return whether a rehearsal mark opens it."""
        onset = max(Fraction(0), self._at.time + self._offset(direction))
        tempo = read_tempo(direction)
        if tempo is not None:
            self._tempos.append((onset, tempo))
        self.swing = self.swing or read_swing(direction)
        self.tempo_word = self.tempo_word or read_tempo_word(direction)
        self._controls.extend(read_pedal(direction, onset))
        sound = direction if direction.name == "sound" else direction.find("sound")
        if sound:
            self._sound(sound, onset)
        self._has_jump = self._has_jump or has_jump(direction)
        rehearsal = any(kind.find("rehearsal") for kind in direction.find_all("direction-type"))
        # A mark after the beginning belongs to the next measure.
        self._mark_pending = self._mark_pending or (rehearsal and self._at.time > 0)
        return rehearsal and not self._at.time

    def _sound(self, sound: XmlElement, onset: Fraction) -> None:
        """Read dynamics and changes of instrument."""
        dynamics = _read_velocity(sound.attributes.get("dynamics", ""))
        self._velocity = dynamics or self._velocity
        for instrument in sound.find_all("midi-instrument"):
            self._controls.extend(read_controls(instrument, onset))
            program = instrument.find_text("midi-program")
            if program.isdecimal() and 1 <= int(program[:4]) <= 128:
                self._controls.append(XmlControl(onset, "program", int(program[:4]) - 1, 0))

    def _harmony(self, harmony: XmlElement) -> None:
        """Read a chord symbol, as it sounds."""
        symbol = read_chord_symbol(harmony, self._transposition)
        if symbol:
            onset = max(Fraction(0), self._at.time + self._offset(harmony))
            self._chords.append((onset, symbol))

    def _offset(self, element: XmlElement) -> Fraction:
        """Quarter notes by which a direction or chord symbol is moved from where it stands."""
        return settle((element.find_number("offset") or Fraction(0)) / self._divisions)

    def _duration(self, element: XmlElement) -> tuple[Fraction, Fraction]:
        """Duration of an element in quarter notes: as it is written, and by its note value.

        They differ where the file's divisions cannot express a tuplet.
        """
        written = element.find_number("duration")
        if written is None or written < 0:
            nominal = read_nominal_duration(element)
            if nominal is None:
                raise UnreadableScore(f"a <{element.name}> without a duration", ACCEPTED)
            return nominal, nominal
        rounded = written / self._divisions
        if element.find("time-modification"):
            nominal = read_nominal_duration(element)
            if nominal is not None and abs(nominal * self._divisions - written) < 1:
                return rounded, nominal
        return rounded, rounded

    def _note(self, note: XmlElement) -> None:
        """Read a note; a rest only moves the position."""
        staff, voice = note.find_text("staff") or "1", note.find_text("voice") or "1"
        if note.find("grace"):
            self._grace(note, (staff, voice))
            return
        written, duration = self._duration(note)
        if not duration:
            self._grace(note, (staff, voice))
            return
        rest = note.find("rest")
        if rest and rest.attributes.get("measure") == "yes" and self._meter:
            # Some programs write such a rest too long.
            written = duration = min(duration, self._meter.bar_length)
        if not note.find("chord"):
            self._chord_onset = self._at.time
            self._at.play(written, duration)
            self._chord_voice = (staff, self._layer(staff, voice))
        if rest:
            if note.attributes.get("print-object") != "no":
                self._rests.append((self._chord_voice, self._chord_onset, self._at.time))
            return
        # A part of two staves is for a keyboard: its small notes are a cadenza, no cue.
        cue = note.find("cue") and self._staff_count == 1
        if cue or note.attributes.get("print-object") == "no":
            self.counts["cue" if cue else "hidden"] += 1
            return
        if staff in self._tab_staves and len(self._tab_staves) < self._staff_count:
            self.counts["tab"] += 1
            return
        length = settle(self._chord_onset + duration) - self._chord_onset
        drum = note.find("pitch") is None or staff in self._drum_staves
        self.counts["sung"] += bool(note.find("lyric"))
        self._change_instrument(note)
        ties = {tie.attributes.get("type") for tie in note.find_all("tie")}
        for notations in note.find_all("notations"):
            ties |= {tied.attributes.get("type") for tied in notations.find_all("tied")}
        velocity = _read_velocity(note.attributes.get("dynamics", ""))
        self._notes.append(
            XmlNote(
                onset=self._chord_onset,
                duration=length if length > 0 else duration,
                pitch=self._drum(note) if drum else self._pitch(note),
                voice=self._chord_voice,
                tie_start=not ties.isdisjoint(("start", "continue")),
                tie_stop=not ties.isdisjoint(("stop", "continue")),
                drum=drum,
                velocity=velocity or self._velocity,
                graces=tuple(self._graces.pop((staff, voice), ())),
            )
        )

    def _grace(self, note: XmlElement, voice: tuple[str, str]) -> None:
        """Keep a grace note for the next note of its voice; of a chord the top note."""
        self.counts["grace"] += 1
        if note.find("pitch") is None or note.attributes.get("print-object") == "no":
            return
        pitch = read_pitch(note, self._transposition)[0]
        before = self._graces.setdefault(voice, [])
        if note.find("chord") and before:
            before[-1] = max(before[-1], pitch)
        elif len(before) < _MAX_ORNAMENT:
            before.append(pitch)

    def _layer(self, staff: str, voice: str) -> str:
        """The name of the voice: another one where two lines have one number and sound together."""
        number, first, last = self._layers.get((staff, voice), (0, Fraction(0), Fraction(-1)))
        onset = self._chord_onset
        if onset < last and onset <= first < self._at.time:
            number, last = number + 1, onset
        first = min(first, onset) if last >= 0 else onset
        self._layers[staff, voice] = (number, first, max(last, self._at.time))
        return f"{voice}.{number}" if number else voice

    def _change_instrument(self, note: XmlElement) -> None:
        """Add a change of program where the note names another instrument of the part."""
        instrument = note.find("instrument")
        name = instrument.attributes.get("id", "") if instrument else ""
        programs = self._instruments.programs
        if name in programs and name != self._instrument and note.find("pitch"):
            self._instrument = name
            self._controls.append(XmlControl(self._chord_onset, "program", programs[name], 0))

    def _drum(self, note: XmlElement) -> int:
        """General MIDI drum of a note."""
        self.counts["unpitched"] += 1
        return read_drum(note, self._instruments)

    def _pitch(self, note: XmlElement) -> int:
        """MIDI number of a note that has a pitch."""
        number, rounded = read_pitch(note, self._transposition)
        self.pitched_count += 1
        self.counts["rounded"] += rounded
        self.counts["transposed"] += self._transposition != 0
        return number


def _read_velocity(dynamics: str) -> int | None:
    """MIDI velocity of dynamics, which count in per cent of a velocity; None where it is none."""
    number = re.match(r"\d{1,4}(\.\d{1,4})?", dynamics, re.ASCII)
    return min(127, max(1, round(float(number[0]) * _FULL_DYNAMICS / 100))) if number else None
