"""The signs of MusicXML that say how notes are to be read: meter, key, tempo, pitch, barlines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from mst_core.errors import UnreadableScore
from mst_core.music import MODES, SEMITONES, Key, Meter
from mst_core.reading.musicxml.tree import ACCEPTED, Element

LONGEST_TIMES = 32
"""Largest numerator and denominator of a meter."""
TEMPOS = (5.0, 1_000.0)
"""Slowest and fastest tempo that is believed, in quarter notes per minute."""
KINDS = {
    "maxima": Fraction(32), "long": Fraction(16), "breve": Fraction(8), "whole": Fraction(4),
    "half": Fraction(2), "quarter": Fraction(1), "eighth": Fraction(1, 2), "16th": Fraction(1, 4),
    "32nd": Fraction(1, 8), "64th": Fraction(1, 16), "128th": Fraction(1, 32),
    "256th": Fraction(1, 64), "512th": Fraction(1, 128), "1024th": Fraction(1, 256),
}  # fmt: skip
"""Quarter notes that a note shape lasts."""
_DOUBLE_LINES = ("light-light", "light-heavy", "heavy-light", "heavy-heavy")
_MODES = {**{mode: mode for mode in MODES}, "ionian": "major", "aeolian": "minor"}
_JUMP_WORDS = re.compile(r"\b(d\. ?[cs]\.|d[cs]\b|da capo|dal segno|to coda)", re.IGNORECASE)
_JUMPS = ("dacapo", "dalsegno", "tocoda", "coda", "segno")


@dataclass(frozen=True, slots=True)
class BarSigns:
    """What the barlines of a measure say, on both its sides."""

    opens: bool = False
    """Whether a repeat begins with it."""
    closes: bool = False
    """Whether a repeat ends with it."""
    times: int = 2
    """How often that repeat is played."""
    double_before: bool = False
    double_behind: bool = False
    """Whether a double bar or a repeat sign stands there."""
    ending: tuple[int, ...] = ()
    """The passes of an ending that begins with it."""
    ending_stops: bool = False
    jumps: bool = False


def read_meter(time: Element) -> Meter | None:
    """Read a ``<time>``; 3+2/8 is 5/8. None is free meter.

    Raises:
        UnreadableScore: when no bar can be so long or so short.
    """
    if time.first("senza-misura"):
        return None
    whole = Fraction(0)
    kinds = [child.words()[:40] for child in time.every("beat-type")]
    beats = [child.words()[:40] for child in time.every("beats")]
    for count, kind in zip(beats, kinds, strict=False):
        numbers = re.fullmatch(r"\d{1,3}( ?\+ ?\d{1,3})*", count, re.ASCII)
        if not numbers or kind not in ("1", "2", "4", "8", "16", "32"):
            raise UnreadableScore(
                f"the meter {count}/{kind}", "meters such as 4/4, 6/8 or 3+2/8 are accepted"
            )
        whole += Fraction(sum(map(int, count.split("+"))), int(kind))
    denominator = max((int(kind) for kind in kinds), default=1)
    numerator = int(whole * denominator)
    if not 1 <= numerator <= LONGEST_TIMES:
        raise UnreadableScore(
            f"the meter {'+'.join(beats)}/{'+'.join(kinds)}",
            "meters such as 4/4, 6/8 or 3+2/8 are accepted",
        )
    return Meter(numerator, denominator)


def read_key(key: Element, transposition: int) -> Key | None:
    """Read a ``<key>`` as it sounds; None where it is no key of the circle of fifths."""
    fifths = key.number("fifths")
    if fifths is None or abs(fifths) > 12:
        return None
    mode = _MODES.get(key.words("mode").lower(), "major")
    return Key((7 * round(fifths) + MODES[mode] + transposition) % 12, mode)


def read_transposition(transpose: Element) -> int:
    """Read how many semitones a transposing instrument sounds above what is written."""
    octaves = transpose.number("octave-change") or Fraction(0)
    return round((transpose.number("chromatic") or Fraction(0)) + 12 * octaves)


def read_pitch(pitch: Element, transposition: int) -> tuple[int, bool]:
    """Read the MIDI number that sounds, and whether it had to be rounded to a semitone.

    Raises:
        UnreadableScore: when there is no such note.
    """
    step, octave = pitch.words("step"), pitch.number("octave")
    alteration = pitch.number("alter") or Fraction(0)
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


def read_nominal(note: Element) -> Fraction | None:
    """Quarter notes that the shape of a note lasts by its dots and its tuplet, None if unknown."""
    value = KINDS.get(note.words("type"))
    if value is None:
        return None
    dots = min(4, sum(1 for _ in note.every("dot")))
    value *= 2 - Fraction(1, 2**dots)
    actual = note.number("time-modification", "actual-notes")
    normal = note.number("time-modification", "normal-notes")
    return value * normal / actual if actual and normal else value


def read_tempo(direction: Element) -> float | None:
    """Read the tempo that a ``<direction>`` or ``<sound>`` sets, in quarter notes per minute."""
    sound = direction if direction.name == "sound" else direction.first("sound")
    tempo = _decimal(sound.attributes.get("tempo", "")) if sound else None
    if tempo is None:
        for kind in direction.every("direction-type"):
            tempo = tempo or _read_metronome(kind)
    if tempo is None or not TEMPOS[0] <= tempo <= TEMPOS[1]:
        return None
    # A mark in dotted quarters is rounded in print: 66.67 of them are 100 quarters.
    return float(round(tempo)) if abs(tempo - round(tempo)) < 0.02 else tempo


def _read_metronome(kind: Element) -> float | None:
    mark = kind.first("metronome")
    beat = KINDS.get(mark.words("beat-unit")) if mark else None
    number = _decimal(mark.words("per-minute")) if mark else None
    if mark is None or beat is None or number is None:
        return None
    dots = min(4, sum(1 for _ in mark.every("beat-unit-dot")))
    return float(beat * (2 - Fraction(1, 2**dots))) * number


def _decimal(words: str) -> float | None:
    """The first number of a text: 120 for ``c. 120`` and for ``120-126``."""
    match = re.search(r"\d{1,6}(\.\d{1,6})?", words, re.ASCII)
    return float(match[0]) if match else None


def has_jump(direction: Element) -> bool:
    """Whether a ``<direction>`` or ``<sound>`` is part of a jump such as D.C. or D.S. al coda."""
    sound = direction if direction.name == "sound" else direction.first("sound")
    if sound and any(jump in sound.attributes for jump in _JUMPS):
        return True
    kinds = list(direction.every("direction-type"))
    return any(
        kind.first("segno") or kind.first("coda") or _JUMP_WORDS.search(words.text)
        for kind in kinds
        for words in (kind, *kind.every("words"))
    )


def read_barlines(measure: Element) -> BarSigns:
    """Read the barlines of a measure."""
    signs: dict[str, bool] = {}
    times = 2
    ending: tuple[int, ...] = ()
    for line in measure.every("barline"):
        left = line.attributes.get("location") == "left"
        repeat = line.first("repeat")
        direction = repeat.attributes.get("direction") if repeat else None
        signs["opens"] = signs.get("opens", False) or direction == "forward"
        if repeat and direction == "backward":
            signs["closes"] = True
            times = min(99, int(_decimal(repeat.attributes.get("times", "")) or 2))
        if direction or line.words("bar-style") in _DOUBLE_LINES:
            signs["double_before" if left or direction == "forward" else "double_behind"] = True
        bracket = line.first("ending")
        if bracket and bracket.attributes.get("type") == "start":
            ending = _passes(bracket.attributes.get("number", ""))
        elif bracket:
            signs["ending_stops"] = True
        if line.first("segno") or line.first("coda"):
            signs["jumps"] = True
    return BarSigns(**signs, times=times, ending=ending)


def _passes(number: str) -> tuple[int, ...]:
    """The passes of an ending: ``1``, ``1, 2`` or ``1-3``; the first where none is named."""
    passes: list[int] = []
    for first, last in re.findall(r"(\d{1,2})(?:\s*-\s*(\d{1,2}))?", number, re.ASCII):
        passes.extend(range(int(first), int(last or first) + 1))
    return tuple(passes) or (1,)
