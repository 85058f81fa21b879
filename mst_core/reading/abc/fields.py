"""Parses the fields of an ABC tune: its key, meter, unit of length and tempo.

Every function takes the text after the colon. A key, meter or unit that cannot be parsed is an
error, since every note after it would be wrong. Numbers are bounded.
"""

from __future__ import annotations

import re
from fractions import Fraction

from mst_core.errors import UnreadableScore
from mst_core.music import MODES, SEMITONES, Key, Meter

SHARP_ORDER = "FCGDAEB"
"""Letters in the order in which a key signature sharpens them; flats come in reverse order."""
ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
"""Semitones above the natural note."""
TEMPO_RANGE = (20.0, 400.0)
"""Quarter notes per minute; a Q: field outside it is ignored."""

_MODE_WORDS = {name[:3]: name for name in MODES} | {
    "": "major",
    "m": "minor",
    "aeo": "minor",
    "ion": "major",
}
_FIFTHS_OF_MODE = {
    "lydian": 1,
    "major": 0,
    "mixolydian": -1,
    "dorian": -2,
    "minor": -3,
    "phrygian": -4,
    "locrian": -5,
}
_KEY = re.compile(r"([A-Ga-g])([#bn♯♭]?)[\s-]{0,9}([A-Za-z]{0,20})")
_EXPLICIT = re.compile(r"(\^\^?|__?|=)([A-Ga-g])(?![a-z])")
_SETTINGS = re.compile(r"[A-Za-z]{1,20}=[^\s=]{2,40}")  # clef=bass, octave=-1; not Dmix=c
_FRACTION = re.compile(r"(\d{1,3})\s{0,9}/\s{0,9}(\d{1,3})")
_SUM_METER = re.compile(r"\(?(\d{1,2}(?:\+\d{1,2}){1,7})\)?/(\d{1,2})")
_TEMPO = re.compile(r"(?:(\d{1,3})/(\d{1,3}))?[\s=]{0,9}(\d{1,4})(?![\d/])")
_QUOTED = re.compile(r'"[^"]*"')


def read_key(text: str) -> tuple[str, Key, dict[str, int]] | None:
    """Parse a K: field: ``G``, ``A Dorian``, ``F#m``, ``Hp`` or ``Dmix=c``.

    ``none`` and an empty field are C major. Accidentals after the key change its signature;
    ``D exp _e^f`` gives the whole signature.

    Args:
        text: The field after its colon.

    Returns:
        Its name, such as ``Gmaj``, ``F#min``, ``Ador`` or ``HP`` for the Highland pipes; the key;
        and its signature, the semitones that are added to each letter (one that is missing is
        natural). None where the field only sets a clef or an octave.

    Raises:
        UnreadableScore: when there is no such key.
    """
    text = without_comment(text)
    words = _SETTINGS.sub(" ", text).strip()
    if words.lower() in ("treble", "bass", "alto", "tenor", "perc") or (text and not words):
        return None
    if words[:2].lower() == "hp":
        return "HP", Key(SEMITONES["A"], "mixolydian"), {"F": 1, "C": 1}
    if not words or words.lower().startswith("none"):
        return "Cmaj", Key(0), {}
    match = _KEY.match(words)
    word = match[3] if match else ""
    explicit = word.lower() == "exp"
    if word.lower() in ("exp", "treble", "bass", "alto", "tenor"):
        word = ""
    mode = _MODE_WORDS.get(word[:3].lower())
    if not match or not mode:
        raise UnreadableScore(f"the key {text[:40]!r}", "write it as K:D, K:Em or K:A dorian")
    letter = match[1].upper()
    shift = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(match[2], 0)
    fifths = SHARP_ORDER.index(letter) - 1 + 7 * shift + _FIFTHS_OF_MODE[mode]
    # Letter i of the order of sharps is raised once at i + 1 fifths and again every 7 fifths.
    signature = {name: (fifths + 6 - i) // 7 for i, name in enumerate(SHARP_ORDER)}
    if explicit:
        signature = {}
    for accidental, altered in _EXPLICIT.findall(words[match.end() :]):
        signature[altered.upper()] = ACCIDENTALS[accidental]
    key = Key.from_fifths(fifths, mode)
    return f"{letter}{'#b'[shift < 0] if shift else ''}{mode[:3]}", key, signature


def read_meter(text: str) -> Meter | None:
    """Parse an M: field: ``6/8``, ``C``, ``C|`` or ``2+3/8``.

    Args:
        text: The field after its colon.

    Returns:
        The meter; None for free meter, which is ``none`` or an empty field.

    Raises:
        UnreadableScore: when it is none of these, or a number is out of range.
    """
    text = without_comment(text).replace(" ", "")
    if text.lower() in ("", "none"):
        return None
    if text.upper() in ("C", "C|"):
        return Meter(2, 2) if "|" in text else Meter(4, 4)
    summed = _SUM_METER.fullmatch(text)
    plain = _FRACTION.fullmatch(text)
    numerator = denominator = 0
    if summed:
        numerator, denominator = sum(map(int, summed[1].split("+"))), int(summed[2])
    elif plain:
        numerator, denominator = int(plain[1]), int(plain[2])
    if not 1 <= numerator <= 32 or denominator not in (1, 2, 4, 8, 16, 32):
        raise UnreadableScore(f"the meter {text[:40]!r}", "write it as M:4/4, M:6/8 or M:C|")
    return Meter(numerator, denominator)


def read_unit(text: str) -> Fraction:
    """Parse an L: field: ``1/8`` is 1/2 quarter note.

    Args:
        text: The field after its colon.

    Returns:
        Length of a note without a number, in quarter notes.

    Raises:
        UnreadableScore: when it is no note length.
    """
    text = without_comment(text)
    match = _FRACTION.fullmatch(text + "/1" if text == "1" else text)
    numerator, denominator = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= numerator <= 16 or denominator not in (1, 2, 4, 8, 16, 32, 64, 128):
        raise UnreadableScore(f"the unit of length {text[:40]!r}", "write it as L:1/8 or L:1/16")
    return Fraction(4 * numerator, denominator)


def default_unit(meter: Meter | None) -> Fraction:
    """Choose the unit of length where there is no L: field, as the ABC standard does.

    Args:
        meter: The M: field; None for free meter.

    Returns:
        Quarter notes: 1/4 (a sixteenth) in meters shorter than 3/4, else 1/2 (an eighth).
    """
    short = meter is not None and meter.bar_length < 3
    return Fraction(1, 4) if short else Fraction(1, 2)


def read_tempo(text: str, unit: Fraction) -> float | None:
    """Parse a Q: field: ``1/4=120``, ``3/8=100`` or ``120``, which counts units of length.

    Args:
        text: The field after its colon.
        unit: Unit of length in quarter notes.

    Returns:
        Quarter notes per minute; None where there is no number, or it is out of `TEMPO_RANGE`.
    """
    match = _TEMPO.search(_QUOTED.sub(" ", without_comment(text)))
    if not match:
        return None
    beat = unit
    if match[1] and int(match[2]):
        beat = Fraction(4 * int(match[1]), int(match[2]))
    tempo = float(beat * int(match[3]))
    return tempo if TEMPO_RANGE[0] <= tempo <= TEMPO_RANGE[1] else None


def without_comment(text: str) -> str:
    """Cut off a comment and the spaces around the rest."""
    return text.split("%", 1)[0].strip()
