"""Parses the fields of an ABC tune: its key, meter and unit of length.

Every function takes the text after the colon. A key, meter or unit that cannot be parsed is an
error, since every note after it would be wrong. Numbers are bounded.
"""

from __future__ import annotations

import re
from fractions import Fraction

from mst_core.errors import UnreadableScore
from mst_core.music import MODES, SEMITONES, Key, Meter
from mst_core.reading.abc.text import without_comment

SHARP_ORDER = "FCGDAEB"
"""Letters in the order in which a key signature sharpens them; flats come in reverse order."""
ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
"""Semitones above the natural note."""
MAX_BEATS = 32
"""Largest numerator of a meter."""
_SIGNS = {"C": Meter(4, 4), "C|": Meter(2, 2), "¢": Meter(2, 2), "𝄴": Meter(4, 4), "𝄵": Meter(2, 2)}
_MODE_WORDS = {name[:3]: name for name in MODES} | {
    "": "major",
    "m": "minor",
    "aeo": "minor",
    "ion": "major",
    "dur": "major",
    "mol": "minor",
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
_KEY = re.compile(r"([A-Ga-g])(\s?(?i:sharp|flat)|[#bn♯♭]?)[\s-]{0,9}([A-Za-z]{0,20})")
_EXPLICIT = re.compile(r"(\^\^?|__?|=)([A-Ga-g])(?![a-z])")
_CLEFS = "treble|bass|alto|tenor|soprano|mezzosoprano|baritone|perc"
_NAMES = (
    "clef|cl|octave|oct|transpose|t|middle|m|stafflines|staffscale|instrument|shift|sound|score|map"
    "|name|nm|snm|sname|subname|style|strings|stem|cue|key|tonic|mode|program|volume|pan"
)
_SETTING = re.compile(rf'(?<!\S)({_NAMES})\s{{0,3}}=\s{{0,3}}("[^"]{{0,200}}"|[^\s=]{{1,40}})')
_CLEF_WORD = re.compile(rf"(?<![\w=])(?:{_CLEFS}|[GFC]\d)\d?(?:[-+^_](?:8|15))?(?!\S)")
_OCTAVE_MARK = re.compile(r"([-+])(8|15)$")
_SHIFT_NOTE = re.compile(r"([\^_=]?)([A-Ga-g])([',]*)")
_FRACTION = re.compile(r"(\d{1,3})\s{0,9}/\s{0,9}(\d{1,3})")
_AND = r"(?:\s?\+\s?|\s{1,3})"  # no blank of it belongs to two repetitions: the time is linear
_METER = re.compile(
    rf"\(?\s?((?:\d{{1,2}}{_AND}){{0,7}}\d{{1,2}})\s?\)?\s{{0,9}}/\s{{0,9}}(\d{{1,3}})"
)
_BEATS = re.compile(rf"\(\s?\d{{1,2}}(?:{_AND}\d{{1,2}}){{1,7}}\s?\)(?!\s{{0,9}}/)")  # 7/8 (2+2+3)


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
    named = re.search(r"\b(?:key|tonic)\s?=\s?(\S+)", text)
    words = _CLEF_WORD.sub(" ", _SETTING.sub(" ", text))
    words = f"{named[1]} {words}".strip() if named else words.strip()
    if text and not words:
        return None
    if words[:2].lower() == "hp":
        return "HP", Key(SEMITONES["A"], "mixolydian"), {"F": 1, "C": 1}
    if not words or words.lower().startswith("none"):
        return "Cmaj", Key(0), {}
    # H is B in German, and Hb is B flat.
    words = re.sub(r"^[Hh](?=$|[\s#b♯♭m]|[Dd]ur|[Mm]oll)", "B", words)
    match = _KEY.match(words)
    word = match[3] if match else ""
    explicit = word.lower() == "exp"
    if explicit or word.lower() in _CLEFS.split("|"):
        word = ""
    mode = _MODE_WORDS.get(word[:3].lower())
    if not match or not mode:
        raise UnreadableScore(f"the key {text[:40]!r}", "write it as K:D, K:Em or K:A dorian")
    letter = match[1].upper()
    shift = {"#": 1, "♯": 1, "s": 1, "b": -1, "♭": -1, "f": -1}.get(match[2].strip()[:1].lower(), 0)
    fifths = SHARP_ORDER.index(letter) - 1 + 7 * shift + _FIFTHS_OF_MODE[mode]
    # Letter i of the order of sharps is raised once at i + 1 fifths and again every 7 fifths.
    signature = {name: (fifths + 6 - i) // 7 for i, name in enumerate(SHARP_ORDER)}
    if explicit:
        signature = {}
    for accidental, altered in _EXPLICIT.findall(words[match.end() :]):
        signature[altered.upper()] = ACCIDENTALS[accidental]
    key = Key.from_fifths(fifths, mode)
    return f"{letter}{'#b'[shift < 0] if shift else ''}{mode[:3]}", key, signature


def names_tonic(text: str) -> bool:
    """Return whether a K: field names a tonic and with it a mode: ``D``, ``Em``, not ``none``.

    Args:
        text: The field after its colon.
    """
    words = _CLEF_WORD.sub(" ", _SETTING.sub(" ", without_comment(text))).strip().lower()
    return bool(words) and not words.startswith("none") and " exp" not in f" {words}"


def read_shifts(text: str) -> dict[str, int]:
    """Parse what moves the sound in a K:, V: or I: field: octaves and transposition.

    Args:
        text: The field after its colon: ``C octave=-1``, ``1 clef=treble-8 transpose=-2``,
            ``MIDI transpose -12``.

    Returns:
        Semitones by the setting that names them, such as ``{"octave": -12}``; only those that the
        field sets. What only changes the print (``middle=``, ``score=``) is not among them.
    """
    text = without_comment(text)
    shifts: dict[str, int] = {}
    instruction = re.match(r"(?i)(?:MIDI\s+)?(r?transpose)\s+([-+]?\d{1,2})\b", text)
    if instruction:
        return {instruction[1].lower(): int(instruction[2])}
    for name, value in _SETTING.findall(text):
        value = value.strip('"')
        number = int(value) if re.fullmatch(r"[-+]?\d{1,2}", value) else None
        if name in ("octave", "oct") and number is not None:
            shifts["octave"] = 12 * number
        elif name in ("transpose", "t") and number is not None:
            shifts["transpose"] = number
        elif name in ("shift", "sound"):
            notes = [_semitones(note) for note in _SHIFT_NOTE.findall(value)]
            if len(notes) == 2:
                shifts["shift"] = notes[1] - notes[0]
            elif len(notes) == 1 and name == "sound":
                shifts["shift"] = notes[0] - 12  # what a written c sounds like
        elif name in ("clef", "cl"):
            shifts["clef"] = _clef_octaves(value)
    word = _CLEF_WORD.search(text)
    if word and "clef" not in shifts:
        shifts["clef"] = _clef_octaves(word[0])
    return shifts


def _clef_octaves(clef: str) -> int:
    """Semitones by which a clef such as ``treble-8`` moves the sound."""
    mark = _OCTAVE_MARK.search(clef)
    return (1 if mark[1] == "+" else -1) * (12 if mark[2] == "8" else 24) if mark else 0


def _semitones(note: tuple[str, str, str]) -> int:
    """Semitones of a note above ``C``."""
    accidental, letter, marks = note
    octave = letter.islower() + marks.count("'") - marks.count(",")
    return SEMITONES[letter.upper()] + ACCIDENTALS.get(accidental, 0) + 12 * octave


def read_meter(text: str) -> Meter | None:
    """Parse an M: field: ``6/8``, ``C``, ``C|``, ``2+3/8``, ``3/4+2/4`` or ``3``.

    Args:
        text: The field after its colon.

    Returns:
        The meter, the first one of several (`read_meters`); None for free meter, which is
        ``none``, ``free``, ``O`` or an empty field.

    Raises:
        UnreadableScore: when it is none of these, or a number is out of range.
    """
    meters = read_meters(text)
    return meters[0] if meters else None


def read_meters(text: str) -> tuple[Meter, ...]:
    """Parse an M: field that may name several meters: ``2/4 3/4`` are those the bars have in turn.

    Args:
        text: The field after its colon.

    Returns:
        The meters in the order of the text, ``3/4+2/4`` as one; none for free meter.

    Raises:
        UnreadableScore: when it holds no meter, or a number is out of range.
    """
    words = without_comment(text)
    if words.lower() in ("", "none", "free", "o", "o.", "ad lib", "ad lib."):
        return ()
    numbers = _BEATS.sub(" ", words)
    found = [_meter(match[1], match[2]) for match in _METER.finditer(numbers)]
    rest = _METER.sub(" ", numbers).replace("=", " ").split()
    signs = [_SIGNS[sign.upper()] for sign in rest if sign.upper() in _SIGNS]
    if not found and len(rest) == 1 and rest[0].isdecimal() and len(rest[0]) < 3:
        # A single number counts quarters, or eighths where threes of them make a beat.
        found = [_meter(rest[0], "8" if int(rest[0]) in (6, 9, 12) else "4")]
    if None in found or not (found or signs):
        raise UnreadableScore(f"the meter {words[:40]!r}", "write it as M:4/4, M:6/8 or M:C|")
    meters = [meter for meter in found if meter]
    if rest and set(rest) == {"+"} and len(meters) == 1 + len(rest):
        lowest = max(meter.denominator for meter in meters)
        beats = sum(meter.numerator * lowest // meter.denominator for meter in meters)
        if beats <= MAX_BEATS:
            return (Meter(beats, lowest),)
    return tuple(dict.fromkeys(meters or signs))


def _meter(beats: str, denominator: str) -> Meter | None:
    """The meter of ``2+2+3`` and ``8``; None where it is out of range."""
    numerator = sum(map(int, beats.replace("+", " ").split()))
    if not 1 <= numerator <= MAX_BEATS or int(denominator) not in (1, 2, 4, 8, 16, 32):
        return None
    return Meter(numerator, int(denominator))


def read_unit(text: str) -> Fraction | None:
    """Parse an L: field: ``1/8`` is 1/2 quarter note.

    Args:
        text: The field after its colon.

    Returns:
        Length of a note without a number, in quarter notes; None where the meter decides
        (``auto``).

    Raises:
        UnreadableScore: when it is no note length.
    """
    text = without_comment(text)
    if text.lower() in ("auto", ""):
        return None
    text = text.split("#")[0].strip()  # a comment as other languages write it
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
