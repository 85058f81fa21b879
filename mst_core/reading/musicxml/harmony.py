"""Parses a ``<harmony>`` element into a chord symbol in plain lead-sheet form."""

from __future__ import annotations

from collections.abc import Iterator

from mst_core.music import SEMITONES
from mst_core.reading.chord_symbols import lead_sheet_chord
from mst_core.reading.musicxml.tree import XmlElement

_KINDS = {
    "major": "", "minor": "m", "augmented": "aug", "diminished": "dim",
    "dominant": "7", "major-seventh": "maj7", "minor-seventh": "m7", "diminished-seventh": "dim7",
    "augmented-seventh": "aug7", "half-diminished": "m7b5", "major-minor": "mMaj7",
    "major-sixth": "6", "minor-sixth": "m6",
    "dominant-ninth": "9", "major-ninth": "maj9", "minor-ninth": "m9",
    "dominant-11th": "11", "major-11th": "maj11", "minor-11th": "m11",
    "dominant-13th": "13", "major-13th": "maj13", "minor-13th": "m13",
    "suspended-second": "sus2", "suspended-fourth": "sus4", "power": "5",
}  # fmt: skip
"""The values of ``<kind>`` and what follows the root; others are written as the root alone."""
_NO_CHORD = "N.C."
_ALTERATIONS = {"-2": "bb", "-1": "b", "": "", "0": "", "1": "#", "2": "##"}
_ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""Names of transposed roots by pitch class."""
_MAX_DEGREES = 8


def read_chord_symbol(harmony: XmlElement, transposition: int) -> str | None:
    """Parse a ``<harmony>`` element.

    Args:
        harmony: The element.
        transposition: Semitones that the instrument sounds above what is written.

    Returns:
        The chord symbol as it sounds, such as ``Am7``, ``F#m7b5/E`` or ``N.C.``; None where
        the element names no root by its letter.
    """
    kind = harmony.find("kind")
    kind_name = kind.find_text() if kind else "major"
    if kind_name == "none":
        return _NO_CHORD
    root = _letter(harmony, "root", transposition)
    if not root:
        return None
    quality = _KINDS.get(kind_name, "")
    if kind and kind_name not in _KINDS:
        shown = "".join(kind.attributes.get("text", "").split())
        plain = lead_sheet_chord("C" + shown)
        quality = plain[1:] if plain and "/" not in plain else ""
    bass = _letter(harmony, "bass", transposition)
    symbol = root + _with_degrees(quality, harmony)
    return f"{symbol}/{bass}" if bass and bass != root else symbol


def _letter(harmony: XmlElement, name: str, transposition: int) -> str:
    """The letter of a root or bass with its accidental, empty where there is none."""
    step = harmony.find_text(name, f"{name}-step")
    if len(step) != 1 or step not in "ABCDEFG":
        return ""
    alter = harmony.find_text(name, f"{name}-alter").removesuffix(".0").removesuffix(".")
    accidental = _ALTERATIONS.get(alter, "")
    if not transposition % 12:
        return step + accidental
    semitones = SEMITONES[step] + accidental.count("#") - accidental.count("b")
    return _ROOTS[(semitones + transposition) % 12]


def _with_degrees(quality: str, harmony: XmlElement) -> str:
    """The quality with its added, altered and omitted degrees, as in ``7b9`` and ``7sus4``."""
    tensions = "".join(_degrees(quality, harmony))
    if quality.startswith("sus") and tensions.startswith("add7"):
        return "7" + quality + tensions.removeprefix("add7")
    return quality + tensions


def _degrees(quality: str, harmony: XmlElement) -> Iterator[str]:
    """Yield each degree of a chord as it follows the quality."""
    for count, degree in enumerate(harmony.find_all("degree")):
        value = degree.find_text("degree-value")
        if count >= _MAX_DEGREES or not value.isdecimal() or not 2 <= int(value[:3]) <= 15:
            return
        alter = degree.find_text("degree-alter").removesuffix(".0")
        accidental = _ALTERATIONS.get(alter, "")
        match degree.find_text("degree-type"):
            case "subtract":
                yield f"no{value}"
            case "alter":
                yield f"{accidental or 'b'}{value}"
            case _ if accidental:
                yield accidental + value
            case _:
                yield f"add{value}"
