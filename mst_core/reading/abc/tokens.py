"""Splits a line of ABC music into tokens: notes, rests, barlines, tuplets and fields in brackets.

The line is read once from left to right by one regular expression. Each of its repetitions is
bounded or can match in one way only, so the time is linear in the length of the line, whatever the
line holds. What carries neither pitch nor time (slurs, decorations, chord symbols, annotations,
grace notes, spaces) and unknown characters give no token.
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
    | (?P<ignored> "[^"]*" | \{{[^{{}}]*\}} | ![^\s|!]{{1,40}}! | y\d* )
    """,
    re.VERBOSE,
)
_NOTE = re.compile(rf"(\^\^?|__?|=)?([A-Ga-g])([',]*)({_MULTIPLE})")
_CHORD_PART = re.compile(rf'"[^"]*"|!\S{{1,40}}?!|({_NOTE.pattern})')
_ENDING = re.compile(r"\s*(\d[\d,.\-]*)")
_MAX_DIGITS = 4  # of a number in a note length
_MAX_HALVINGS = 8  # slashes in a note length


@dataclass(frozen=True, slots=True)
class NoteToken:
    """A note, such as ``^c'3/2``; a chord, such as ``[CEG]2``; or a rest, such as ``z2``."""

    notes: tuple[tuple[str, str, int], ...]
    """Accidental, letter and octave of each note; empty for a rest.

    The accidental is ``^^``, ``^``, ``=``, ``_``, ``__``, or empty where none is written; the
    letter is A to G; the octave counts from that of middle C: 0 for ``C``, 1 for ``c``, -1 for
    ``C,``.
    """
    multiple: Fraction
    """Length in units of the L: field, above 0; in bars where ``full_bars``."""
    full_bars: bool = False
    """Whether it is a rest of ``Z`` or ``X``, with a number of bars."""


@dataclass(frozen=True, slots=True)
class BarToken:
    """A barline, the beginning of an ending, or both."""

    barline: str
    """Such as ``|``, ``:|`` or ``|]``; empty where an ending begins without a barline."""
    ending: str
    """``1``, ``2`` or ``1,3`` where an ending begins, else empty."""


@dataclass(frozen=True, slots=True)
class TupletToken:
    """``(p:q:r``: the next r notes are played p in the time of q."""

    p: int
    q: int
    """0 where it is not written."""
    r: int
    """0 where it is not written."""


@dataclass(frozen=True, slots=True)
class MarkToken:
    """A character between notes that changes how they are read.

    ``-`` ties the note before it to the next one; ``>`` and ``<``, up to three of a kind, dot one
    of the two notes beside them and shorten the other (broken rhythm); ``&`` begins an overlay:
    another voice that sounds together with this one until the next barline.
    """

    text: str


@dataclass(frozen=True, slots=True)
class FieldToken:
    """A field, on a line of its own or in brackets, such as ``[K:D]``."""

    letter: str
    text: str
    """The text after the colon."""


Token = NoteToken | BarToken | TupletToken | MarkToken | FieldToken


def tokenize(line: str) -> Iterator[Token]:
    """Yield the tokens of a line of music.

    Args:
        line: The line without its comment and without its line end.

    Yields:
        Tokens in the order of the line.

    Raises:
        UnreadableScore: when a note length is 0, or has a number of more than four digits.
    """
    position = 0
    while match := _TOKENS.search(line, position):
        position = match.end()
        text = match[0]
        match match.lastgroup:
            case "note":
                yield _note(text)
            case "bar":
                # Files have `|: [1` and `|[1` as well as `|1`; with the bracket it is an "ending".
                ending = _ENDING.match(line, position)
                if ending:
                    position = ending.end()
                yield BarToken(text, ending[1] if ending else "")
            case "broken":
                yield MarkToken(text[:3])
            case "tie" | "overlay":
                yield MarkToken(text)
            case "rest":
                yield NoteToken((), _multiple(text[1:]), full_bars=text[0] in "ZX")
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


@lru_cache(maxsize=1024)
def _note(text: str) -> NoteToken:
    """Parse a note, such as ``^c'3/2``."""
    match = _NOTE.match(text)
    assert match is not None  # noqa: S101 - the pattern that found the text contains this one
    accidental, letter, marks, multiple = match.groups()
    octave = marks.count("'") - marks.count(",") + letter.islower()
    return NoteToken(((accidental or "", letter.upper(), octave),), _multiple(multiple))


def _chord(text: str, close: str) -> Iterator[NoteToken]:
    """Parse ``CEG]2``: its length is the first note's times the one after the bracket."""
    inside, _, after = text.rpartition(close)
    notes = tuple(_note(part[1]) for part in _CHORD_PART.finditer(inside) if part[1])
    if notes:
        written = tuple(note.notes[0] for note in notes)
        yield NoteToken(written, notes[0].multiple * _multiple(after))


@lru_cache(maxsize=1024)
def _multiple(text: str) -> Fraction:
    """Parse the length after a note: nothing is 1, ``/`` is 1/2, ``//`` is 1/4, ``3/2`` is 3/2."""
    above, _, below = text.partition("/")
    halvings = text.count("/")
    numbers = (above or "1", below.lstrip("/"))
    if any(len(number) > _MAX_DIGITS for number in numbers) or halvings > _MAX_HALVINGS:
        raise UnreadableScore(f"a note length of {text[:20]!r}", "write lengths such as 2 or 3/2")
    numerator = int(numbers[0])
    denominator = int(numbers[1]) if numbers[1] else 2**halvings
    if numerator == 0 or denominator == 0:
        raise UnreadableScore("a note of length 0", "every note needs a length above 0")
    return Fraction(numerator, denominator)
