"""Parses how a part sounds: its program, its drums, volume, pan and bank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from mst_core.reading.musicxml.tree import XmlElement

DRUM_CHANNEL = "10"
"""The MIDI channel of percussion, as MusicXML counts from 1."""
SNARE = 38
"""General MIDI drum of an unpitched note of which nothing is known."""
_DRUMS_BY_PLACE = {
    # On the usual staff of a drum kit, by the line or space where a note is shown.
    "D4": 44, "E4": 35, "F4": 36, "G4": 41, "A4": 43, "B4": 45, "C5": 38, "D5": 47, "E5": 48,
    "F5": 51, "G5": 42, "A5": 49, "B5": 57, "C6": 55,
}  # fmt: skip
_VOLUME, _PAN, _BANK, _BANK_FINE, _PEDAL = 7, 10, 0, 32, 64


class XmlControl(NamedTuple):
    """A program, controller or pedal of a part."""

    onset: Fraction
    """Quarter notes from the beginning of its measure."""
    kind: Literal["program", "control"]
    number: int
    value: int


@dataclass(frozen=True, slots=True)
class XmlInstruments:
    """The instruments of a part, as its entry in the part list has them."""

    programs: dict[str, int]
    """General MIDI program, 0 to 127, by the id of the instrument."""
    drums: dict[str, int]
    """General MIDI drum by the id of the instrument."""
    on_drum_channel: bool
    controls: tuple[XmlControl, ...]
    """Volume, pan and bank from the beginning on."""

    @property
    def program(self) -> int | None:
        """The program of the first instrument; None where the file names none."""
        return next(iter(self.programs.values()), None)


def read_instruments(score_part: XmlElement) -> XmlInstruments:
    """Parse the instruments of a part.

    Args:
        score_part: Its ``<score-part>`` element.

    Returns:
        Its programs, drums and controls; numbers out of range are left out.
    """
    programs: dict[str, int] = {}
    drums: dict[str, int] = {}
    controls: list[XmlControl] = []
    channels: set[str] = set()
    for instrument in score_part.find_all("midi-instrument"):
        name = instrument.attributes.get("id", "")
        program = _number(instrument, "midi-program", 1, 128)
        if program is not None:
            programs[name] = program - 1
        drum = _number(instrument, "midi-unpitched", 1, 128)
        if drum is not None:
            drums[name] = drum - 1
        channels.add(instrument.find_text("midi-channel"))
        if not controls:
            controls.extend(read_controls(instrument, Fraction(0)))
    return XmlInstruments(programs, drums, channels == {DRUM_CHANNEL}, tuple(controls))


def read_controls(instrument: XmlElement, onset: Fraction) -> Iterator[XmlControl]:
    """Parse volume, pan and bank of a ``<midi-instrument>`` element.

    Args:
        instrument: The element.
        onset: Quarter notes from the beginning of the measure.

    Yields:
        A control for each that is given and in range.
    """
    bank = _number(instrument, "midi-bank", 1, 16_384)
    if bank is not None and bank > 1:
        yield XmlControl(onset, "control", _BANK, (bank - 1) // 128)
        yield XmlControl(onset, "control", _BANK_FINE, (bank - 1) % 128)
    volume = _number(instrument, "volume", 0, 100)
    if volume is not None:
        yield XmlControl(onset, "control", _VOLUME, round(volume * 127 / 100))
    pan = _number(instrument, "pan", -180, 180)
    if pan:
        # -90 is hard left, 90 hard right; beyond that the sound comes from the back.
        side = pan if abs(pan) <= 90 else (180 - abs(pan)) * (1 if pan > 0 else -1)
        yield XmlControl(onset, "control", _PAN, min(127, max(0, 64 + round(side * 64 / 90))))


def read_pedal(direction: XmlElement, onset: Fraction) -> Iterator[XmlControl]:
    """Parse the pedal of a ``<direction>`` or ``<sound>`` element.

    Args:
        direction: The element.
        onset: Quarter notes from the beginning of the measure.

    Yields:
        The pedal down, up, or up and down again.
    """
    sound = direction if direction.name == "sound" else direction.find("sound")
    damper = sound.attributes.get("damper-pedal", "") if sound else ""
    kinds = [
        pedal.attributes.get("type", "")
        for kind in direction.find_all("direction-type")
        for pedal in kind.find_all("pedal")
    ]
    for kind in [damper] if damper else kinds:
        if kind in ("stop", "no", "change"):
            yield XmlControl(onset, "control", _PEDAL, 0)
        if kind in ("start", "yes", "change", "sostenuto", "resume"):
            yield XmlControl(onset, "control", _PEDAL, 127)


def read_drum(note: XmlElement, instruments: XmlInstruments) -> int:
    """Return the General MIDI drum of a note of percussion.

    Args:
        note: The ``<note>`` element.
        instruments: The instruments of its part.

    Returns:
        The drum that its instrument names, else the one of its place on the usual staff of a kit.
    """
    instrument = note.find("instrument")
    name = instrument.attributes.get("id", "") if instrument else ""
    if name in instruments.drums:
        return instruments.drums[name]
    place = note.find_text("unpitched", "display-step")
    place += note.find_text("unpitched", "display-octave")
    # Older programs write the place on the staff as a pitch.
    place = place or note.find_text("pitch", "step") + note.find_text("pitch", "octave")
    return _DRUMS_BY_PLACE.get(place, SNARE)


def _number(element: XmlElement, name: str, lowest: int, highest: int) -> int | None:
    """The whole number of a child, None where it is missing, no number or out of range."""
    words = element.find_text(name)
    try:
        number = round(float(words)) if words else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and lowest <= number <= highest else None
