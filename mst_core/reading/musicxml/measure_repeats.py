"""Writes out the measures that a part shows by a repeat sign alone.

Stands alone: a rule of its own between the written measures of a part and all that follows. The
standard asks for the notes in such a measure, and many programs export a rest instead.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from mst_core.reading.musicxml.part import XmlMeasure, XmlPart


def fill_repeated_measures(part: XmlPart, *, max_notes: int) -> XmlPart:
    """Copy the notes that a repeat sign stands for into measures that have none.

    Args:
        part: The part as it is written.
        max_notes: Notes above which no more are copied.

    Returns:
        The part with as many measures; ``repeated`` of its counts is how many were filled.
    """
    filled: list[XmlMeasure] = []
    repeated, note_count = 0, part.note_count
    for index, measure in enumerate(part.measures):
        full = measure
        for staff, back in measure.repeats_back:
            present = any(staff in ("", note.voice[0]) for note in measure.notes)
            if present or back > index or note_count > max_notes:
                continue
            source = filled[index - back]
            copied = tuple(note for note in source.notes if staff in ("", note.voice[0]))
            note_count += len(copied)
            full = replace(full, notes=full.notes + copied, length=max(full.length, source.length))
        repeated += full is not measure
        filled.append(full)
    if not repeated:
        return part
    counts = Counter({**part.counts, "repeated": repeated})
    return replace(part, measures=tuple(filled), counts=counts)
