"""What the fields of an ABC tune say: its key, meter, unit of length and tempo.

Only the text after the colon is read here. A key, meter or unit that cannot be read is an error,
for every note behind it would be wrong. Numbers are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from mst_core.errors import UnreadableScore
from mst_core.music import MODES, SEMITONES, Key, Meter

SHARP_ORDER = "FCGDAEB"
"""Letters in the order in which a signature sharpens them; flats go the other way."""
ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
TEMPO_RANGE = (20.0, 400.0)  # quarter notes per minute; outside it a Q: field is taken as absent

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


@dataclass(frozen=True, slots=True)
class AbcKey:
    """A K: field: the key, and the semitones that its signature adds to each letter."""

    name: str
    """Such as ``Gmaj``, ``F#min``, ``Ador``; ``HP`` for the pipes."""
    key: Key
    signature: dict[str, int]


def read_key(text: str) -> AbcKey | None:
    """Read ``G``, ``A Dorian``, ``F#m``, ``Hp`` or ``Dmix=c``; None where it only names a clef.

    ``none`` and an empty field are C major. Accidentals behind the key change its signature, and
    ``D exp _e^f`` names all of it.

    Raises:
        UnreadableScore: when it names no key.
    """
    text = _without_comment(text)
    words = _SETTINGS.sub(" ", text).strip()
    if words.lower() in ("treble", "bass", "alto", "tenor", "perc") or (text and not words):
        return None
    if words[:2].lower() == "hp":
        return AbcKey("HP", Key(SEMITONES["A"], "mixolydian"), {"F": 1, "C": 1})
    if not words or words.lower().startswith("none"):
        return AbcKey("Cmaj", Key(0), {})
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
    # Letter number i of the order of sharps is raised once for each 7 fifths beyond i.
    signature = {name: (fifths + 6 - place) // 7 for place, name in enumerate(SHARP_ORDER)}
    if explicit:
        signature = {}
    for accidental, altered in _EXPLICIT.findall(words[match.end() :]):
        signature[altered.upper()] = ACCIDENTALS[accidental]
    key = Key((SEMITONES[letter] + shift) % 12, mode)
    return AbcKey(f"{letter}{'#b'[shift < 0] if shift else ''}{mode[:3]}", key, signature)


def read_meter(text: str) -> Meter | None:
    """Read ``6/8``, ``C``, ``C|`` or ``2+3/8``; None for free meter, ``none`` or nothing.

    Raises:
        UnreadableScore: when it is none of these.
    """
    text = _without_comment(text).replace(" ", "")
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
    """Read ``1/8`` as the length of ``A`` in quarter notes, 1/2.

    Raises:
        UnreadableScore: when it is no length.
    """
    text = _without_comment(text)
    match = _FRACTION.fullmatch(text + "/1" if text == "1" else text)
    numerator, denominator = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= numerator <= 16 or denominator not in (1, 2, 4, 8, 16, 32, 64, 128):
        raise UnreadableScore(f"the unit of length {text[:40]!r}", "write it as L:1/8 or L:1/16")
    return Fraction(4 * numerator, denominator)


def default_unit(meter: Meter | None) -> Fraction:
    """Return the unit where no L: says it: a sixteenth in short meters such as 2/4, else 1/8."""
    short = meter is not None and meter.bar_length < 3
    return Fraction(1, 4) if short else Fraction(1, 2)


def read_tempo(text: str, unit: Fraction) -> float | None:
    """Read ``1/4=120``, ``3/8=100`` or ``120`` (units a minute) as quarter notes per minute."""
    match = _TEMPO.search(_QUOTED.sub(" ", _without_comment(text)))
    if not match:
        return None
    beat = unit
    if match[1] and int(match[2]):
        beat = Fraction(4 * int(match[1]), int(match[2]))
    tempo = float(beat * int(match[3]))
    return tempo if TEMPO_RANGE[0] <= tempo <= TEMPO_RANGE[1] else None


def _without_comment(text: str) -> str:
    """Without its comment."""
    return text.split("%", 1)[0].strip()
