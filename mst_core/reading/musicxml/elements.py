"""Parses the elements of MusicXML: meter, key, transposition, pitch, duration, tempo, barlines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from mst_core.errors import UnreadableScore
from mst_core.music import MODES, SEMITONES, Key, Meter
from mst_core.reading.measures import MAX_METER_NUMBER
from mst_core.reading.musicxml.tree import ACCEPTED, XmlElement
from mst_core.reading.tempo_words import find_tempo_word

TEMPO_RANGE = (5.0, 1_000.0)
"""Quarter notes per minute; a tempo outside it is ignored."""
NOTE_TYPES = {
    "maxima": Fraction(32),
    "long": Fraction(16),
    "breve": Fraction(8),
    "whole": Fraction(4),
    "half": Fraction(2),
    "quarter": Fraction(1),
    "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4),
    "32nd": Fraction(1, 8),
    "64th": Fraction(1, 16),
    "128th": Fraction(1, 32),
    "256th": Fraction(1, 64),
    "512th": Fraction(1, 128),
    "1024th": Fraction(1, 256),
}
"""Quarter notes of each note value, by its name in a ``<type>`` element."""
_ACCIDENTALS = {"sharp": 1, "flat": -1, "double-sharp": 2, "sharp-sharp": 2, "flat-flat": -2}
_SYMBOLS = {"common": Meter(4, 4), "cut": Meter(2, 2)}
_DOUBLE_LINES = ("light-light", "light-heavy", "heavy-light", "heavy-heavy")
_MODES = {**{mode: mode for mode in MODES}, "ionian": "major", "aeolian": "minor"}
_JUMP_WORDS = re.compile(r"\b(d\. ?[cs]\.|d[cs]\b|da capo|dal segno|to coda)", re.IGNORECASE)
_BEAT_SIGNS = {"♪": Fraction(1, 2), "♩": Fraction(1), "q": Fraction(1), "\U0001d15f": Fraction(1)}
_TEMPO_TEXT = re.compile(
    r"([♪♩\U0001d15f]|\bq)(\.?)\s{0,3}=\s{0,3}(?:ca?\.?\s?|circa\s)?(\d{2,3})(?!\d)"
)
_SWING_WORDS = re.compile(
    r"((medium|med\.?|moderate|fast|slow|up|easy|light|bright|jazz)[ -]?){0,3}swing( (feel|time))?"
    r"|swing(ing|ed)?( .{0,12})?",
    re.IGNORECASE,
)
SWING_SHARE = 2 / 3
"""Share of the beat of the first of two eighths where the file only says that they swing."""
_JUMPS = ("dacapo", "dalsegno", "tocoda", "coda", "segno")


@dataclass(frozen=True, slots=True)
class XmlBarlines:
    """The barlines on both sides of a measure."""

    opens_repeat: bool = False
    closes_repeat: bool = False
    play_count: int = 2
    """How often the repeat that it closes is played."""
    double_before: bool = False
    """Whether a double bar or a repeat sign precedes it."""
    double_after: bool = False
    """Whether a double bar or a repeat sign follows it."""
    ending: tuple[int, ...] = ()
    """The passes of the ending that begins with it, counted from 1; empty where none begins."""
    ending_stops: bool = False
    jumps: bool = False
    """Whether a segno or coda sign stands at one of them."""


def read_meter(time: XmlElement) -> Meter | None:
    """Parse a ``<time>`` element; 3+2/8 is 5/8, and 2/64 is 1/32.

    Args:
        time: The element.

    Returns:
        The meter; None for free meter (``<senza-misura>``) and for one that no music has.
    """
    if time.find("senza-misura"):
        return None
    if not time.find("beats"):
        return _SYMBOLS.get(time.attributes.get("symbol", ""))
    whole = Fraction(0)
    kinds = [child.find_text()[:40] for child in time.find_all("beat-type")]
    beats = [child.find_text()[:40] for child in time.find_all("beats")]
    for count, kind in zip(beats, kinds, strict=False):
        numbers = re.fullmatch(r"\d{1,3}( ?\+ ?\d{1,3})*", count, re.ASCII)
        if not numbers or kind not in ("1", "2", "4", "8", "16", "32", "64", "128"):
            return None
        whole += Fraction(sum(map(int, count.split("+"))), int(kind))
    denominator = min(32, max((int(kind) for kind in kinds), default=1))
    numerator = whole * denominator
    if numerator.denominator != 1 or not 1 <= numerator <= MAX_METER_NUMBER:
        return None
    return Meter(int(numerator), denominator)


def read_key(key: XmlElement, transposition: int) -> Key | None:
    """Parse a ``<key>`` element into the key that sounds.

    Args:
        key: The element.
        transposition: Semitones that the instrument sounds above what is written.

    Returns:
        The key; None where it is not given by a number of fifths from -12 to 12.

    Raises:
        UnreadableScore: when the fifths are no number.
    """
    fifths = key.find_number("fifths")
    if fifths is None or abs(fifths) > 12:
        return None
    mode = _MODES.get(key.find_text("mode").lower(), "major")
    interval = (7 * transposition + 6) % 12 - 6  # fifths from the written to the sounding key
    return Key.from_fifths(round(fifths) + interval, mode)


def states_mode(key: XmlElement) -> bool:
    """Return whether a ``<key>`` element names a mode, such as minor."""
    return key.find_text("mode").lower() in _MODES


def read_transposition(transpose: XmlElement) -> int:
    """Parse a ``<transpose>`` element.

    Args:
        transpose: The element.

    Returns:
        Semitones that the instrument sounds above what is written.

    Raises:
        UnreadableScore: when a number cannot be parsed.
    """
    octaves = transpose.find_number("octave-change") or Fraction(0)
    return round((transpose.find_number("chromatic") or Fraction(0)) + 12 * octaves)


def read_pitch(note: XmlElement, transposition: int) -> tuple[int, bool]:
    """Parse the ``<pitch>`` of a note into the pitch that sounds.

    Args:
        note: The ``<note>`` element; its printed accidental counts where the pitch names no
            alteration.
        transposition: Semitones that the instrument sounds above what is written.

    Returns:
        The MIDI number, 0 to 127, and whether it was rounded to a semitone.

    Raises:
        UnreadableScore: when a number is missing or out of range.
    """
    step, octave = note.find_text("pitch", "step").upper(), note.find_number("pitch", "octave")
    alteration = note.find_number("pitch", "alter")
    if alteration is None:
        alteration = Fraction(_ACCIDENTALS.get(note.find_text("accidental"), 0))
    if step not in SEMITONES or octave is None:
        raise UnreadableScore(f"the pitch {step[:9]!r} without an octave or a letter", ACCEPTED)
    exact = 12 * (octave + 1) + SEMITONES[step] + alteration
    number = floor(exact + Fraction(1, 2)) + transposition
    if not 0 <= number <= 127:
        raise UnreadableScore(
            f"the note {step} of octave {octave}, {number - 60} semitones from middle C",
            "notes from 60 below to 67 above middle C are accepted",
        )
    return number, exact.denominator != 1


def read_nominal_duration(note: XmlElement) -> Fraction | None:
    """Compute the duration of a note from its ``<type>``, dots and tuplet.

    Args:
        note: A ``<note>`` or ``<forward>`` element.

    Returns:
        Quarter notes; None where there is no ``<type>`` that is known.

    Raises:
        UnreadableScore: when a number of the tuplet cannot be parsed.
    """
    value = NOTE_TYPES.get(note.find_text("type"))
    if value is None:
        return None
    dots = min(4, sum(1 for _ in note.find_all("dot")))
    value *= 2 - Fraction(1, 2**dots)
    actual = note.find_number("time-modification", "actual-notes")
    normal = note.find_number("time-modification", "normal-notes")
    return value * normal / actual if actual and normal else value


def read_tempo(direction: XmlElement) -> float | None:
    """Parse the tempo that a ``<direction>`` or ``<sound>`` element sets.

    Args:
        direction: The element.

    Returns:
        Quarter notes per minute; None where it sets no tempo within `TEMPO_RANGE`.
    """
    sound = direction if direction.name == "sound" else direction.find("sound")
    tempo = _decimal(sound.attributes.get("tempo", "")) if sound else None
    if tempo is None:
        for kind in direction.find_all("direction-type"):
            tempo = tempo or _read_metronome(kind) or _read_tempo_text(kind)
    if tempo is None or not TEMPO_RANGE[0] <= tempo <= TEMPO_RANGE[1]:
        return None
    # A mark in dotted quarters is printed rounded: 66.67 of them are 100 quarters.
    return float(round(tempo)) if abs(tempo - round(tempo)) < 0.02 else tempo


def _read_tempo_text(kind: XmlElement) -> float | None:
    """Parse a metronome mark that is written as words: ``(♩ = 96)``."""
    for words in kind.find_all("words"):
        match = _TEMPO_TEXT.search(words.find_text())
        if match:
            beat = _BEAT_SIGNS[match[1]] * (Fraction(3, 2) if match[2] else 1)
            return float(beat) * float(match[3])
    return None


def read_tempo_word(direction: XmlElement) -> tuple[str, float] | None:
    """Find a word that names a tempo in a ``<direction>`` or ``<sound>`` element.

    Args:
        direction: The element.

    Returns:
        As `find_tempo_word`.
    """
    for kind in direction.find_all("direction-type"):
        for words in kind.find_all("words"):
            found = find_tempo_word(words.find_text())
            if found:
                return found
    return None


def read_swing(direction: XmlElement) -> float | None:
    """Parse the swing that a ``<direction>`` or ``<sound>`` element asks for.

    Args:
        direction: The element.

    Returns:
        Share of the beat of the first of two eighths, such as 2/3; None where it asks for none.
    """
    sound = direction if direction.name == "sound" else direction.find("sound")
    swing = sound.find("swing") if sound else None
    if swing:
        first, second = (_decimal(swing.find_text(name)) for name in ("first", "second"))
        if first and second and swing.find_text("swing-type") in ("", "eighth"):
            return first / (first + second) if 1 < first / second <= 4 else None
        return None
    kinds = list(direction.find_all("direction-type"))
    if any(_is_swing_mark(mark) for kind in kinds for mark in kind.find_all("metronome")):
        return SWING_SHARE
    words = (word.find_text() for kind in kinds for word in kind.find_all("words"))
    return SWING_SHARE if any(_SWING_WORDS.fullmatch(each) for each in words) else None


def _is_swing_mark(metronome: XmlElement) -> bool:
    """Whether a mark says that two eighths are played as a quarter and an eighth of a triplet."""
    notes = list(metronome.find_all("metronome-note"))
    values = [note.find_text("metronome-type") for note in notes]
    return values == ["eighth", "eighth", "quarter", "eighth"] and any(
        note.find_text("metronome-tuplet", "actual-notes") == "3" for note in notes
    )


def _read_metronome(kind: XmlElement) -> float | None:
    """Parse a ``<metronome>`` mark into quarter notes per minute."""
    mark = kind.find("metronome")
    beat = NOTE_TYPES.get(mark.find_text("beat-unit")) if mark else None
    number = _decimal(mark.find_text("per-minute")) if mark else None
    if mark is None or beat is None or number is None:
        return None
    dots = min(4, sum(1 for _ in mark.find_all("beat-unit-dot")))
    return float(beat * (2 - Fraction(1, 2**dots))) * number


def _decimal(words: str) -> float | None:
    """Find the first number of a text: 120 in ``c. 120`` and in ``120-126``."""
    match = re.search(r"\d{1,6}([.,]\d{1,6})?", words, re.ASCII)
    return float(match[0].replace(",", ".")) if match else None


def has_jump(direction: XmlElement) -> bool:
    """Return whether a ``<direction>`` or ``<sound>`` element is part of a jump (D.C., D.S., coda).

    Args:
        direction: The element.
    """
    sound = direction if direction.name == "sound" else direction.find("sound")
    if sound and any(jump in sound.attributes for jump in _JUMPS):
        return True
    kinds = list(direction.find_all("direction-type"))
    return any(
        kind.find("segno") or kind.find("coda") or _JUMP_WORDS.search(words.text)
        for kind in kinds
        for words in (kind, *kind.find_all("words"))
    )


def read_barlines(measure: XmlElement) -> XmlBarlines:
    """Parse the ``<barline>`` elements of a measure.

    Args:
        measure: A ``<measure>`` element.
    """
    opens_repeat = closes_repeat = double_before = double_after = ending_stops = jumps = False
    play_count = 2
    ending: tuple[int, ...] = ()
    for line in measure.find_all("barline"):
        left = line.attributes.get("location") == "left"
        repeat = line.find("repeat")
        direction = repeat.attributes.get("direction") if repeat else None
        opens_repeat = opens_repeat or direction == "forward"
        if repeat and direction == "backward":
            closes_repeat = True
            play_count = min(99, int(_decimal(repeat.attributes.get("times", "")) or 2))
        if direction or line.find_text("bar-style") in _DOUBLE_LINES:
            if left or direction == "forward":
                double_before = True
            else:
                double_after = True
        bracket = line.find("ending")
        if bracket and bracket.attributes.get("type") == "start":
            ending = _passes(bracket.attributes.get("number", ""))
        elif bracket:
            ending_stops = True
        if line.find("segno") or line.find("coda"):
            jumps = True
    return XmlBarlines(
        opens_repeat=opens_repeat,
        closes_repeat=closes_repeat,
        play_count=play_count,
        double_before=double_before,
        double_after=double_after,
        ending=ending,
        ending_stops=ending_stops,
        jumps=jumps,
    )


def _passes(number: str) -> tuple[int, ...]:
    """Parse the passes of an ending: ``1``, ``1, 2`` or ``1-3``; empty is the first."""
    passes: list[int] = []
    for first, last in re.findall(r"(\d{1,2})(?:\s*-\s*(\d{1,2}))?", number, re.ASCII):
        passes.extend(range(int(first), int(last or first) + 1))
    return tuple(passes) or (1,)
