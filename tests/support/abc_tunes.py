"""A short ABC tune around any music, for tests of the reader."""

from __future__ import annotations

from fractions import Fraction

from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.parsed_score import ParsedScore

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
UP_AND_DOWN = (*SCALE, *reversed(SCALE))
HEAD = "X:1\nT:Probe\nM:4/4\nL:1/4\nQ:1/4=100\n"


def read(music: str, *, key: str = "C", head: str = "") -> ParsedScore:
    return read_abc_score(f"{HEAD}{head}K:{key}\n{music}\n")


def pitches(music: str, *, key: str = "C", head: str = "") -> tuple[int, ...]:
    return read(music, key=key, head=head).melody.pitches


def lengths(music: str) -> list[Fraction]:
    return [note.duration for note in read(music).melody.notes]
