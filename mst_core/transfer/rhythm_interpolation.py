"""Intermediate rhythms between an old and a new rhythm with as many notes.

Both rhythms are cut wherever the same note begins at the same time in both: what lies between two
cuts can change by itself. Longer pieces get intermediate rhythms, in which the first notes have the
new rhythm and the others still the old (or the last notes first). One is kept only when each of its
notes is idiomatic at its position (docs/decisions.md#change-path). Where that leaves too large a
step, single notes move instead.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from mst_core.transfer.config import TransferConfig

RhythmPattern = tuple[tuple[Fraction, Fraction], ...]
"""Onset from the start of a bar group, and duration, of each note; in quarter notes."""


def differing_pieces(old: RhythmPattern, new: RhythmPattern) -> list[tuple[int, int]]:
    """Cut two rhythms of as many notes at the onsets that they share.

    Args:
        old: the rhythm as it is.
        new: the rhythm that it becomes.

    Returns:
        For each piece that differs the index of its first note and of the note after its last.
    """
    shared = [i for i in range(len(old)) if old[i][0] == new[i][0]]
    edges = sorted({0, *shared, len(old)})
    return [(a, b) for a, b in pairwise(edges) if old[a:b] != new[a:b]]


def intermediate_rhythms(
    old: RhythmPattern,
    new: RhythmPattern,
    is_idiomatic: Callable[[Fraction, Fraction, bool], bool],
    config: TransferConfig = TransferConfig(),
    max_notes: int | None = None,
) -> list[RhythmPattern]:
    """Interpolate between two rhythms of a piece, note by note.

    Args:
        old: the rhythm as it is.
        new: the rhythm that it becomes, with as many notes.
        is_idiomatic: whether the style has a note or rest at a position.
        config: the durations that are plain in any style.
        max_notes: that may differ from one rhythm to the next, at least 2; None for any number.

    Returns:
        ``old``, the intermediate rhythms in order, and ``new``. Of the two directions, first notes
        first and last notes first, the one with more different rhythms is taken.
    """
    plain = config.plain_durations
    directions = [
        [_join(new[:k], old[k:], is_idiomatic, plain) for k in range(1, len(old))],
        [_join(old[:k], new[k:], is_idiomatic, plain) for k in range(len(old) - 1, 0, -1)],
    ]
    between = max(
        ([step for step in steps if step is not None] for steps in directions),
        key=lambda steps: len(set(steps)),
    )
    steps = [old, *(step for step in dict.fromkeys(between) if step not in (old, new)), new]
    if max_notes is None:
        return steps
    finer = [old]
    for before, after in pairwise(steps):
        finer += _steps_of_few_notes(before, after, max(2, max_notes))
    return finer


def _steps_of_few_notes(
    old: RhythmPattern, new: RhythmPattern, max_notes: int
) -> list[RhythmPattern]:
    """Rhythms from after ``old`` to ``new``; neighbors differ in ``max_notes`` notes at most."""
    moved = _note_by_note(old, new)
    found = []
    at = old
    while at != new:
        index = 0
        while index + 1 < len(moved) and _n_differing(at, moved[index + 1]) <= max_notes:
            index += 1
        at = moved[index]
        found.append(at)
        moved = moved[index + 1 :]
    return found


def _note_by_note(old: RhythmPattern, new: RhythmPattern) -> list[RhythmPattern]:
    """The rhythms from after ``old`` to ``new`` when one onset after another moves.

    Onsets that become earlier move first, from the first on, then the others from the last on: so
    none ever passes its neighbor.
    """
    earlier = [i for i in range(len(old)) if new[i][0] < old[i][0]]
    later = [i for i in reversed(range(len(old))) if new[i][0] > old[i][0]]
    is_new = [old[i][0] == new[i][0] for i in range(len(old))]
    found = []
    for index in (*earlier, *later):
        is_new[index] = True
        onsets = [(new if is_new[i] else old)[i][0] for i in range(len(old))]
        rhythm = []
        for i, onset in enumerate(onsets):
            source = new if is_new[i] else old
            if i + 1 == len(onsets):
                end = sum(source[i], Fraction(0))
            elif is_new[i] == is_new[i + 1]:
                end = min(sum(source[i], Fraction(0)), onsets[i + 1])
            else:
                end = onsets[i + 1]
            rhythm.append((onset, end - onset))
        found.append(tuple(rhythm))
    if not found or found[-1] != new:
        found.append(new)
    return found


def _n_differing(one: RhythmPattern, other: RhythmPattern) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _join(
    first: RhythmPattern,
    second: RhythmPattern,
    is_idiomatic: Callable[[Fraction, Fraction, bool], bool],
    plain: tuple[Fraction, ...],
) -> RhythmPattern | None:
    """Both in a row, or None: the last note of the first lasts to the second or to a rest."""
    onset, duration = first[-1]
    following = second[0][0]
    if onset >= following:
        return None
    legato = following - onset
    if is_idiomatic(onset, legato, False) or _is_plain(onset, legato, plain):
        return (*first[:-1], (onset, legato), *second)
    rest = legato - duration
    note_fits = is_idiomatic(onset, duration, False) or _is_plain(onset, duration, plain)
    rest_fits = is_idiomatic(onset + duration, rest, True) or _is_plain(
        onset + duration, rest, plain
    )
    if rest > 0 and note_fits and rest_fits:
        return (*first, *second)
    return None


def _is_plain(onset: Fraction, duration: Fraction, plain: tuple[Fraction, ...]) -> bool:
    """Whether a duration is plain, and its onset a multiple of half of it or of a sixteenth."""
    return duration in plain and (onset / min(duration, Fraction(1, 2))).denominator <= 2
