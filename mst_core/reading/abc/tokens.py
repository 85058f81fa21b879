"""The signs of a line of ABC music, one after the other.

One pass, one pattern whose every repetition is bounded or cannot be matched in two ways, so that
the time is linear in the text whatever the text is. Signs that carry no pitch and no time
(slurs, decorations, chord symbols, annotations, grace notes, spaces) give no token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from mst_core.errors import UnreadableScore

_MULTIPLE = r"(?:\d*/*\d*)"  # 2  3/2  /  //  /4
_TOKENS = re.compile(
    rf"""
      (?P<note> (?:\^\^?|__?|=)? [A-Ga-g] [',]* {_MULTIPLE} )
    | (?P<bar> (?: \[?\|[|:\]]* | :[|:\]]+ ) )
    | (?P<broken> >+ | <+ )
    | (?P<tie> - )
    | (?P<rest> [zxZX] {_MULTIPLE} )
    | \( (?P<tuplet> [1-9] (?: :\d? ){{0,2}} )
    | \[ (?P<field> [A-Za-z]:[^\[\]]* ) \]
    | \[ \s* (?P<ending> \d[\d,.\-]* )
    | \[ (?P<chord> [^\[\]|]* \] {_MULTIPLE} )
    | \+ (?P<old> [A-Ga-g][^+|\s]{{0,60}} \+ {_MULTIPLE} )
    | (?P<overlay> & )
    | (?P<quiet> "[^"]*" | \{{[^{{}}]*\}} | ![^\s|!]{{1,40}}! | y\d* )
    """,
    re.VERBOSE,
)
_NOTE = re.compile(rf"(\^\^?|__?|=)?([A-Ga-g])([',]*)({_MULTIPLE})")
_CHORD_PART = re.compile(rf'"[^"]*"|!\S{{1,40}}?!|({_NOTE.pattern})')
_ENDING = re.compile(r"\s*(\d[\d,.\-]*)")
_MAX_NUMBER = 9999  # of a number in a note length


@dataclass(frozen=True, slots=True)
class NoteToken:
    """A written note; ``multiple`` is its length in units of the L: field."""

    accidental: str
    letter: str
    """Upper case."""
    octave: int
    """Octaves above the one that middle C begins."""
    multiple: Fraction


@dataclass(frozen=True, slots=True)
class ChordToken:
    """Notes that sound together; ``multiple`` is the length of the whole."""

    notes: tuple[NoteToken, ...]
    multiple: Fraction


@dataclass(frozen=True, slots=True)
class RestToken:
    """A rest; ``bars`` says that its multiple counts full bars."""

    multiple: Fraction
    full_bars: bool


@dataclass(frozen=True, slots=True)
class BarToken:
    """A barline such as ``|``, ``:|`` or ``|]``; empty for an ending that has no line before it."""

    barline: str
    ending: str
    """``1``, ``2`` or ``1,3`` where an ending begins, else empty."""


@dataclass(frozen=True, slots=True)
class BrokenRhythmToken:
    """``>`` or ``<``, or several: dots and halvings for the notes on both sides."""

    marks: str


@dataclass(frozen=True, slots=True)
class TupletToken:
    """``(p:q:r``: the next r notes, p in the time of q; 0 where it is not said."""

    p: int
    q: int
    r: int


@dataclass(frozen=True, slots=True)
class TieToken:
    """``-`` behind a note."""


@dataclass(frozen=True, slots=True)
class OverlayToken:
    """``&``: what follows up to the barline sounds beside what was written."""


@dataclass(frozen=True, slots=True)
class FieldToken:
    """A field inside the line, such as ``[K:D]``."""

    letter: str
    text: str


Token = (
    NoteToken
    | ChordToken
    | RestToken
    | BarToken
    | BrokenRhythmToken
    | TupletToken
    | TieToken
    | OverlayToken
    | FieldToken
)


def tokenize(line: str) -> Iterator[Token]:
    """Yield the signs of a line of music that has no comment.

    Raises:
        UnreadableScore: for a length that no note has.
    """
    place = 0
    while match := _TOKENS.search(line, place):
        place = match.end()
        text = match[0]
        match match.lastgroup:
            case "note":
                yield _note(text)
            case "bar":
                ending = _ENDING.match(line, place)
                # `|: [1` and `|[1` are met as well as `|1`; the bracket is a sign of its own.
                if ending:
                    place = ending.end()
                yield BarToken(text, ending[1] if ending else "")
            case "broken":
                yield BrokenRhythmToken(text[:3])
            case "tie":
                yield TieToken()
            case "rest":
                yield RestToken(_multiple(text[1:]), full_bars=text[0] in "ZX")
            case "tuplet":
                numbers = [int(number or 0) for number in match["tuplet"].split(":")]
                yield TupletToken(*[*numbers, 0, 0][:3])
            case "field":
                yield FieldToken(text[1], match["field"][2:].strip())
            case "ending":
                yield BarToken("", match["ending"])
            case "chord":
                yield from _chord(match["chord"], "]")
            case "old":
                yield from _chord(match["old"], "+")
            case "overlay":
                yield OverlayToken()


@lru_cache(maxsize=1024)
def _note(text: str) -> NoteToken:
    match = _NOTE.match(text)
    assert match is not None  # noqa: S101 - the pattern that found the text contains this one
    accidental, letter, marks, multiple = match.groups()
    octave = marks.count("'") - marks.count(",") + letter.islower()
    return NoteToken(accidental or "", letter.upper(), octave, _multiple(multiple))


def _chord(text: str, close: str) -> Iterator[ChordToken]:
    """Read ``CEG]2``: the first note's length times the one behind the bracket."""
    inside, _, behind = text.rpartition(close)
    notes = tuple(_note(part[1]) for part in _CHORD_PART.finditer(inside) if part[1])
    if notes:
        yield ChordToken(notes, notes[0].multiple * _multiple(behind))


@lru_cache(maxsize=1024)
def _multiple(text: str) -> Fraction:
    """Read the length behind a note: nothing is 1, ``/`` halves, ``//`` quarters."""
    above, _, below = text.partition("/")
    halvings = text.count("/")
    numbers = (above or "1", below.lstrip("/"))
    if any(len(number) > len(str(_MAX_NUMBER)) for number in numbers) or halvings > 8:
        raise UnreadableScore(f"a note length of {text[:20]!r}", "write lengths such as 2 or 3/2")
    numerator = int(numbers[0])
    denominator = int(numbers[1]) if numbers[1] else 2**halvings
    if numerator == 0 or denominator == 0:
        raise UnreadableScore("a note of length 0", "every note needs a length above 0")
    return Fraction(numerator, denominator)
