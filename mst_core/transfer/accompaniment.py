"""What becomes of all that sounds beside a melody when the melody gets another rhythm.

Parts go with their bars (`time_warp`). A part that doubles the melody goes with its notes instead,
and so do the melody's own controllers and bends.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from mst_core.music import ControlEvent, Melody, Part, PartNote
from mst_core.transfer.time_warp import TimeWarp

DOUBLING_SHARE = 0.6
"""A part doubles the melody when this share of its notes does."""
MAX_OFFSET = Fraction(1, 8)
"""Quarter notes between the onsets of a note and of the melody note that it doubles."""
_SHORTEST = Fraction(1, 48)
_HIGHEST = 127


def move_parts(parts: Sequence[Part], before: Melody, after: Melody) -> tuple[Part, ...]:
    """Return the parts of a tune beside the changed tune.

    Args:
        parts: accompanying parts of the given tune.
        before: the given tune.
        after: the changed tune, with as many notes and bars.
    """
    moved = TimeWarp.between(before, after).move_parts(parts)
    if after.notes == before.notes:
        return moved
    return tuple(_follow(old, new, before, after) for old, new in zip(parts, moved, strict=True))


def move_melody_controls(
    controls: Sequence[ControlEvent], before: Melody, after: Melody
) -> tuple[ControlEvent, ...]:
    """Return the melody's own programs, controllers and bends, each at the place of its note.

    Args:
        controls: of the given tune, rising by onset.
        before: the given tune.
        after: the changed tune, with as many notes and bars.
    """
    warp = TimeWarp.between(before, after)
    old = [note.onset for note in before.notes]
    new = [note.onset for note in after.notes]

    def move(time: Fraction) -> Fraction:
        at = bisect_right(old, time) - 1
        if at < 0:
            return min(warp.move(time), new[0]) if new else warp.move(time)
        if at + 1 == len(old):
            last, changed = before.notes[at], after.notes[at]
            return changed.onset + (time - last.onset) * changed.duration / last.duration
        share = (time - old[at]) / (old[at + 1] - old[at])
        return new[at] + share * (new[at + 1] - new[at])

    return tuple(replace(event, onset=move(event.onset)) for event in controls)


def _follow(part: Part, moved: Part, before: Melody, after: Melody) -> Part:
    """Return ``moved``, the part in its new bars, with its doubled notes at the melody's."""
    if part.drums:  # their pitches name drums
        return moved
    doubled = list(_find_doubled(part.notes, before))
    if sum(index is not None for index in doubled) < DOUBLING_SHARE * len(part.notes):
        return moved
    notes = [
        other if index is None else _at_note(note, index, before, after)
        for note, other, index in zip(part.notes, moved.notes, doubled, strict=True)
    ]
    return replace(moved, notes=tuple(sorted(notes, key=lambda note: (note.onset, note.pitch))))


def _find_doubled(notes: Iterable[PartNote], melody: Melody) -> Iterator[int | None]:
    """Yield for each note the index of the melody note that it doubles, in any octave."""
    onsets = [note.onset for note in melody.notes]
    for note in notes:
        at = bisect_left(onsets, note.onset)
        near = [index for index in (at - 1, at) if 0 <= index < len(onsets)]
        index = min(near, key=lambda index: abs(onsets[index] - note.onset), default=None)
        if index is not None and (
            abs(onsets[index] - note.onset) > MAX_OFFSET
            or (melody.notes[index].pitch - note.pitch) % 12
        ):
            index = None
        yield index


def _at_note(note: PartNote, index: int, before: Melody, after: Melody) -> PartNote:
    """Return a note that doubles a melody note, with the new time and pitch of that note."""
    old, new = before.notes[index], after.notes[index]
    scale = new.duration / old.duration
    pitch = note.pitch + new.pitch - old.pitch
    return replace(
        note,
        onset=new.onset + (note.onset - old.onset) * min(scale, Fraction(1)),
        duration=max(_SHORTEST, note.duration * scale),
        pitch=pitch if 0 <= pitch <= _HIGHEST else note.pitch,
    )
