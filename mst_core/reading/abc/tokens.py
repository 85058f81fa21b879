"""Splits a line of ABC music into tokens: notes, rests, barlines, tuplets and fields in brackets.

The line is read once from left to right by one regular expression. Each of its repetitions is
bounded or can match in one way only, so the time is linear in the length of the line, whatever the
line holds. What carries neither pitch nor time (slurs, decorations, spaces) and unknown characters
give no token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from mst_core.errors import UnreadableScore

_MULTIPLE = r"(?:\d*(?:/+\d*)?)"  # 2  3/2  /  //  /4; a number matches in one way only
_TOKENS = re.compile(
    rf"""
      (?P<note> (?:\^\^?|__?|=)? [A-Ga-g] [',]* {_MULTIPLE} )
    | (?P<bar> (?: \[?\|[|:\]]* | :[|:\]]+ ) )
    | (?P<broken> >+ | <+ )
    | (?P<tie> - )
    | (?P<rest> [zxZX] {_MULTIPLE} )
    | \( (?P<tuplet> [1-9]\d? (?: :\d{{0,2}} ){{0,2}} )
    | (?<=[\s|]) (?P<triplet> 3 (?= [A-Ga-g]{{3}} (?![A-Ga-g\d/,']) ) )
    | \[ (?P<field> [A-Za-z]:[^\[\]]* ) \]
    | \[ \s* (?P<ending> \d[\d,.\-]* )
    | \[ (?P<chord> [^\[\]|]* \] {_MULTIPLE} )
    | \+ (?P<plus> [^+|]{{1,60}} ) \+ (?P<times> {_MULTIPLE} )
    | (?P<end> \](?= \s*(?: $ | [:|] ) ) )
    | (?P<overlay> & )
    | (?P<quoted> "[^"]*" | "[^"\s|]* )
    | \{{ (?P<grace> [^{{}}]* ) \}}
    | ! (?P<mark> [^|!]{{1,40}} ) !
    | (?P<ignored> y\d* )
    """,
    re.VERBOSE,
)
_NOTE = re.compile(rf"(\^\^?|__?|=)?([A-Ga-g])([',]*)({_MULTIPLE})")
_CHORD_PART = re.compile(rf'"[^"]*"|!\S{{1,40}}?!|({_NOTE.pattern})|(-)')
_OLD_CHORD = re.compile(rf'(?:"[^"]{{0,30}}"|[\s~()-]|{_NOTE.pattern})+')
_DYNAMIC = re.compile(r"f{1,4}|[A-Za-z]")  # a mark between plus signs that is made of notes
_ENDING = re.compile(r"\s*(\d[\d,.\-]*)")
MAX_ENDING = 9
"""Largest number of an ending."""
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
    """A sign between notes.

    ``-`` ties the note before it to the next one; ``>`` and ``<``, up to three of a kind, dot one
    of the two notes beside them and shorten the other (broken rhythm); ``&`` begins an overlay:
    another voice that sounds together with this one until the next barline; ``{`` and ``}`` stand
    around grace notes; a text that begins with ``"`` is a chord symbol or an annotation.
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
            case "end":  # a final bar without its line
                yield BarToken("|]", "")
            case "broken":
                yield MarkToken(text[:3])
            case "tie" | "overlay":
                yield MarkToken(text)
            case "rest":
                yield NoteToken((), _multiple(text[1:]), full_bars=text[0] in "ZX")
            case "tuplet":
                numbers = [int(number or 0) for number in match["tuplet"].split(":")]
                yield TupletToken(*[*numbers, 0, 0][:3])
            case "triplet":  # its bracket was forgotten
                yield TupletToken(3, 0, 0)
            case "field":
                yield FieldToken(text[1], match["field"][2:].strip())
            case "ending":
                yield BarToken("", match["ending"])
            case "chord":
                yield from _chord(match["chord"], "]")
            case "times":
                if _is_old_chord(match["plus"]):
                    yield from _chord(f"{match['plus']}+{match['times']}", "+")
                else:  # a decoration; a number after it is none of its business
                    position = match.start("times")
            case "grace":
                yield from _grace(match["grace"])
            case "quoted":
                yield _quoted(text)
            case "mark":
                if not _is_decoration(match["mark"]):
                    position = match.start() + 1  # a line break of old programs


def _quoted(text: str) -> MarkToken:
    """A chord symbol or annotation, one quotation mark before it."""
    return MarkToken('"' + text.strip('"').strip())


def _is_old_chord(inside: str) -> bool:
    """Whether ``CEG`` between plus signs is a chord of ABC 1, not a decoration of ABC 2.0."""
    return bool(_OLD_CHORD.fullmatch(inside)) and not _DYNAMIC.fullmatch(inside)


def _is_decoration(inside: str) -> bool:
    """Whether what stands between exclamation marks is a mark, not notes between two breaks."""
    if _DYNAMIC.fullmatch(inside.strip()):
        return True
    letters = [sign for sign in inside if sign.isalpha()]
    return len(letters) < 3 or any(sign not in "ABCDEFGabcdefgzxyZ" for sign in letters)


def _grace(inside: str) -> Iterator[Token]:
    """Yield the notes of ``{/Bcd}`` between two marks."""
    notes = [_note(part[1]) for part in _CHORD_PART.finditer(inside) if part[1]]
    if notes:
        yield MarkToken("{")
        yield from notes
        yield MarkToken("}")


@lru_cache(maxsize=1024)
def _note(text: str) -> NoteToken:
    """Parse a note, such as ``^c'3/2``."""
    match = _NOTE.match(text)
    assert match is not None  # noqa: S101 - the pattern that found the text contains this one
    accidental, letter, marks, multiple = match.groups()
    octave = marks.count("'") - marks.count(",") + letter.islower()
    return NoteToken(((accidental or "", letter.upper(), octave),), _multiple(multiple))


def _chord(text: str, close: str) -> Iterator[Token]:
    """Parse ``CEG]2``: its length is the first note's times the one after the bracket."""
    inside, _, after = text.rpartition(close)
    parts = list(_CHORD_PART.finditer(inside))
    notes = tuple(_note(part[1]) for part in parts if part[1])
    for part in parts:
        if part[0].startswith('"'):
            yield _quoted(part[0])
    if notes:
        written = tuple(note.notes[0] for note in notes)
        yield NoteToken(written, notes[0].multiple * _multiple(after))
        if any(part[0] == "-" for part in parts):
            yield MarkToken("-")


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


def ending_numbers(text: str) -> tuple[int, ...]:
    """Return the passes of an ending: ``1``, ``1,3`` or ``1-3``; above `MAX_ENDING` are ignored.

    Args:
        text: The `BarToken.ending`.
    """
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip(".").partition("-")
        if first.isdigit() and len(first) == 1:
            end = int(last) if last.isdigit() and len(last) == 1 else int(first)
            numbers.update(range(int(first), min(end, MAX_ENDING) + 1))
    return tuple(sorted(numbers))
