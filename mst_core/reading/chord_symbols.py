"""Brings written chord names into one plain form: ``A min7`` and ``A-7`` are ``Am7``.

Stands alone because the readers of ABC and MusicXML share it. A text that is no chord, such as
``Fine`` or ``D.C.``, is recognized by what follows its first letter.
"""

from __future__ import annotations

import re
from functools import lru_cache

NO_CHORD = "N.C."
MAX_CHORD_LENGTH = 24
"""Characters of a written chord name."""
_ROOT = r"([A-H])([#b♯♭=]?)"
_CHORD = re.compile(
    _ROOT
    + r"""((?:major|[Mm]aj|MAJ|minor|[Mm]in|MIN|mi|ma|[Dd]im|DIM|[Aa]ug|AUG|[Ss]us|add|alt|no|omit
    |dom|[mM°oøØΔ△∆+#b♯♭()^,-]|\d{1,2}|/\d{1,2})*)"""
    + r"(?:/([A-Ha-h])([#b♯♭]?))?",
    re.VERBOSE,
)
_NO_CHORDS = ("n.c.", "nc", "n.c", "tacet", "no chord", "n. c.")
_QUALITIES = (
    # Written: plain, in this order.
    (r"(?i:major)(?=\d)|(?i:maj)(?=\d)|[Mm]a(?=\d)|[Δ△∆]7?(?=\d)|M(?=\d)", "maj"),
    (r"[Δ△∆]7?", "maj7"),
    (r"(?i:minor|min)|mi(?!n)", "m"),
    (r"^-", "m"),
    (r"(?i:dim)|°|^o", "dim"),
    (r"[øØ]7?", "m7b5"),
    (r"(?i:aug)|^\+(?=$|\d)", "aug"),
    (r"^(?i:maj|major)$|^M$|^ma$", ""),
    (r"(?<=\d)\+(?=\d|$)|\+(?=\d)", "#"),
    (r"(?<=[\d(,])-(?=\d)", "b"),
    (r"(?i:sus)$", "sus4"),
    (r"(?i:sus)", "sus"),
    (r"sus(7|9|13)$", r"\1sus4"),
    (r"mmaj", "mMaj"),
    (r"dom(?=\d)", ""),
    (r"[(),^]", ""),
)


@lru_cache(maxsize=1024)
def lead_sheet_chord(text: str) -> str | None:
    """Return a chord symbol in the plain form of a lead sheet.

    Args:
        text: a chord as someone wrote it: ``Amin7``, ``F♯m7♭5/E``, ``(Em)``, ``C6/9``, ``N.C.``.

    Returns:
        Root, quality and bass, such as ``Am7``, ``F#m7b5/E`` or `NO_CHORD`; None where the text is
        no chord. The letter H stands as it is written: `from_german` reads it.
    """
    written = text.strip().strip("?!*").strip()
    if written[:1] == "(" and written[-1:] == ")" and written.count("(") == 1:
        written = written[1:-1].strip()
    if written.lower() in _NO_CHORDS:
        return NO_CHORD
    if not written or len(written) > MAX_CHORD_LENGTH:
        return None
    if re.fullmatch(r"[a-h][#b♯♭]?m(?:in)?\d{0,2}", written):  # am7, a common slip
        written = written[0].upper() + written[1:]
    match = _CHORD.fullmatch(written.replace(" ", ""))
    if not match:
        return None
    letter, accidental, quality, bass, bass_accidental = match.groups()
    plain = (quality or "").replace("♯", "#").replace("♭", "b")
    for pattern, replacement in _QUALITIES:
        plain = re.sub(pattern, replacement, plain)
    symbol = letter + _plain_accidental(accidental) + plain
    return f"{symbol}/{bass.upper()}{_plain_accidental(bass_accidental)}" if bass else symbol


def from_german(chord: str) -> str:
    """Return a chord of a German song book in English letters: H is B, and B is B flat.

    Args:
        chord: a chord in the plain form, of a tune in which some chord is called H.
    """
    root, slash, bass = chord.partition("/")
    return _english(root) + slash + _english(bass)


def transpose_chord(chord: str, semitones: int) -> str:
    """Return a chord symbol moved by semitones, its root and bass spelled in the usual way.

    Args:
        chord: a chord in the plain form.
        semitones: above 0 is up.
    """
    if not semitones % 12 or chord == NO_CHORD:
        return chord
    return re.sub(r"(?:^|(?<=/))([A-G])([#b]?)", lambda found: _moved(found, semitones), chord)


_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def _moved(root: re.Match[str], semitones: int) -> str:
    shift = {"#": 1, "b": -1}.get(root[2], 0)
    return _ROOTS[(_SEMITONES[root[1]] + shift + semitones) % 12]


def _plain_accidental(sign: str) -> str:
    return {"♯": "#", "♭": "b", "=": ""}.get(sign, sign)


def _english(name: str) -> str:
    if name.startswith("H"):
        return "B" + name[1:]
    if name.startswith("B") and name[1:2] not in ("b", "#"):
        return "Bb" + name[1:]
    return name
