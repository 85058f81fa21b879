"""Parses the Q: field of an ABC tune, which names a tempo in one of many forms.

Stands alone because its forms are many: old and new, with a word, a sum of beats, or a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from mst_core.reading.abc.text import without_comment
from mst_core.reading.tempo_words import find_tempo_word

DEFAULT_TEMPO = 110.0
"""Quarter notes per minute of a tune that names no tempo: dances and songs, which ABC holds, go at
about this pace more often than at 120."""
TEMPO_RANGE = (20.0, 400.0)
"""Quarter notes per minute; a Q: field outside it is not believed."""
SLOWEST_IN_UNITS = 70.0
"""Quarter notes per minute: a bare number counts units of length, as the standard says, where that
gives more; else it is a metronome number of quarter notes, as programs write it today."""
_NUMBER = r"(?:ca\.?|circa|c\.|about|approx\.?|~|≈)?\s{0,3}(\d{1,4}(?:\.\d{1,4})?)"
_BEAT = r"\d{1,3}\s?/\s?\d{1,3}"
_WITH_BEAT = re.compile(
    rf"({_BEAT}(?:(?:\s{{0,3}}\+\s{{0,3}}|\s{{1,3}}){_BEAT}){{0,4}})\s{{0,3}}=\s{{0,3}}{_NUMBER}",
    re.IGNORECASE,
)
_OLD_BEAT = re.compile(
    rf"(?<![A-Za-z])[A-Ga-g]\s?(\d{{0,2}}(?:/\d{{0,2}})?)\s{{0,3}}=\s{{0,3}}{_NUMBER}"
)
_BARE = re.compile(rf"^[\s=]{{0,9}}{_NUMBER}(?![\d/])", re.IGNORECASE)
_FRACTION = re.compile(r"(\d{1,3})\s?/\s?(\d{1,3})")
_QUOTED = re.compile(r'"([^"]*)"')


def read_tempo(text: str, unit: Fraction) -> float | None:
    """Parse a Q: field.

    Args:
        text: The field after its colon: ``1/4=120``, ``3/8=100``, ``1/4 3/8=40``, ``C3=40``,
            ``1/4=ca. 90``, ``120`` or ``"Andante"``.
        unit: Unit of length in quarter notes.

    Returns:
        Quarter notes per minute; None where there is no number and no known word, or the tempo is
        out of `TEMPO_RANGE`.
    """
    text = without_comment(text)
    numbers = _QUOTED.sub(" ", text)
    tempo = _old_beat(numbers, unit) or _with_beat(numbers) or _bare(numbers, unit)
    if tempo is None:
        words = " ".join(_QUOTED.findall(text)) or numbers
        named = find_tempo_word(words)
        tempo = named[1] if named else None
    if tempo is None or not TEMPO_RANGE[0] <= tempo <= TEMPO_RANGE[1]:
        return None
    return tempo


def describe_tempo(text: str | None, tempo: float | None, *, changes: bool) -> Iterator[str]:
    """Word the remark on a tempo that was not named in numbers.

    Args:
        text: the first Q: field; None where there is none.
        tempo: what it was read as, in quarter notes per minute; None where it was not.
        changes: whether a tempo is named on the way.

    Yields:
        At most one sentence.
    """
    words = "" if text is None else without_comment(text)
    if tempo is None and words and not changes:
        shown = words[:40].strip('"')
        yield (
            f'The tempo "{shown}" is not clear; {DEFAULT_TEMPO:g} quarter notes a minute are '
            "assumed."
        )
    elif tempo is None and not changes:
        yield f"No tempo is named; {DEFAULT_TEMPO:g} quarter notes a minute are assumed."
    elif tempo is not None and "=" not in words:
        shown = words[:40].strip('"')
        yield f'The tempo "{shown}" was taken as {tempo:g} quarter notes a minute.'


def _with_beat(text: str) -> float | None:
    """The tempo of ``3/8=100``."""
    match = _WITH_BEAT.search(text)
    if not match:
        return None
    beats = [(int(above), int(below)) for above, below in _FRACTION.findall(match[1])]
    if any(below == 0 for _, below in beats):
        return None
    beat = sum((Fraction(4 * above, below) for above, below in beats), Fraction(0))
    return float(beat * Fraction(match[2]))


def _old_beat(text: str, unit: Fraction) -> float | None:
    """The tempo of ``C3=40``, which counts units of length."""
    old = _OLD_BEAT.search(text)
    if not old:
        return None
    above, slash, below = old[1].partition("/")
    divisor = int(below or 2) if slash else 1
    return float(unit * Fraction(int(above or 1), divisor or 1) * Fraction(old[2]))


def _bare(text: str, unit: Fraction) -> float | None:
    """The tempo of a bare number."""
    bare = _BARE.match(text)
    if not bare:
        return None
    number = float(bare[1])
    in_units = number * float(unit)
    return in_units if in_units > SLOWEST_IN_UNITS else number
