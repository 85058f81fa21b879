"""Chooses the part of a MusicXML score that has the melody, by the ranking of all formats.

Stands alone because it is where the parts of MusicXML are described for that ranking.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from mst_core.errors import BadOption, NoMelody
from mst_core.reading.melody_part import (
    PartDescription,
    describe_choice,
    describe_continuation,
    rank_parts,
)
from mst_core.reading.musicxml.part import XmlPart
from mst_core.reading.parsed_score import PartCandidate

_USUAL_TEMPO = 120.0  # quarter notes a minute where a score names none
_VELOCITY = 80  # of written notes
_MAX_LABEL = 80  # characters


def choose_part(
    parts: Sequence[XmlPart], track: int | None
) -> tuple[int, tuple[PartCandidate, ...], tuple[str, ...]]:
    """Choose the part with the melody.

    Args:
        parts: All parts of the score.
        track: The number of the part, counted from 1; None to choose one.

    Returns:
        The index of the part; the parts ranked by how likely each is the melody; and remarks about
        the choice, if there was one.

    Raises:
        BadOption: when there is no part ``track``.
        NoMelody: when there is no part with at least two pitched notes.
    """
    if track is not None and not 1 <= track <= len(parts):
        raise BadOption("track", track, f"the file has the parts 1 to {len(parts)}")
    described = [*_describe_parts(parts)]
    tempo = next(
        (tempo for part in parts for each in part.measures for _, tempo in each.tempos),
        _USUAL_TEMPO,
    )
    candidates, reasons = rank_parts(described, tempo=tempo)
    if track is not None:
        if track not in {each.number for each in candidates}:
            raise NoMelody(f"part {track} of this MusicXML file")
        return track - 1, candidates, ()
    if not candidates:
        played = [part for part in parts if part.note_count]
        drums = bool(played) and all(part.drums for part in played)
        raise NoMelody(
            "this MusicXML file, whose notes are all percussion" if drums else "this MusicXML file"
        )
    remarks = (
        *describe_choice(candidates, reasons, noun="Part", parts=described),
        *describe_continuation(described, candidates, noun="Part"),
    )
    return candidates[0].number - 1, candidates, remarks


def _describe_parts(parts: Sequence[XmlPart]) -> Iterator[PartDescription]:
    """Yield the parts as the ranking wants them; every measure begins where all before it end."""
    lengths = [Fraction(0)] * max(len(part.measures) for part in parts)
    for part in parts:
        for number, measure in enumerate(part.measures):
            lengths[number] = max(lengths[number], measure.length)
    starts = [0.0]
    for length in lengths:
        starts.append(starts[-1] + float(length))
    for number, part in enumerate(parts, start=1):
        notes = sorted(
            (start + float(note.onset), start + float(note.onset + note.duration), note.pitch)
            for start, measure in zip(starts, part.measures, strict=False)
            for note in measure.notes
            if not note.drum
        )
        onsets = len({note[0] for note in notes})
        yield PartDescription(
            label=part.name[:_MAX_LABEL] or f"part {number}",
            name=part.name,
            program=part.program,
            drums=part.drums,
            notes=[(*note, _VELOCITY) for note in notes],
            sung=min(1.0, part.counts["sung"] / max(1, onsets)),
        )
