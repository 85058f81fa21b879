"""Settles the keys of a MIDI file: what its key signatures state, where the notes agree.

Most programs write C major where nobody chose a key. A change of key on the way is kept where the
notes after it fit it better than the key before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from mst_core.music import Key, KeyChange, Melody, Note, Part, PartNote
from mst_core.reading.key_finding import (
    describe_settled_key,
    find_key,
    settle_key,
    share_outside,
)

_MIN_GAIN = 0.02
"""Share of the sounding time by which a new key must fit better than the one before."""
_MAX_CHANGES = 64  # that are compared with the notes
_NAMED_CHANGES = 4  # in the remark


def settle_keys(
    melody: Melody, parts: Sequence[Part], signatures: Sequence[tuple[Fraction, Key]]
) -> tuple[Melody, tuple[str, ...]]:
    """Give a melody its key and the keys on the way.

    Args:
        melody: with any key.
        parts: that sound with it.
        signatures: key signatures of the file: onset in quarter notes from the first downbeat, and
            key, rising by onset. Major stands for a signature without its mode as well.

    Returns:
        The melody with its key and its key changes, and remarks.
    """
    beside = [note for part in parts if not part.drums for note in part.notes]
    last = melody.notes[-1].onset
    signatures = [each for each in signatures if each[0] <= last]  # one at the end says nothing
    first_end = max(melody.barlines[min(1, melody.bar_count)], melody.notes[0].onset)
    initial = [key for onset, key in signatures if onset < first_end]
    later = _by_bar(melody, [each for each in signatures if each[0] >= first_end])
    edges = [*later, melody.bar_count]
    section, sounding = _between(melody, beside, 0, edges[0])
    if initial:
        first = initial[-1]
        key = settle_key(
            first, section, mode_stated=first.is_minor, may_be_default=True, beside=sounding
        )
        remarks = [*describe_settled_key(first, key)]
    else:
        key = find_key(section, beside=sounding)
        begins = "begins without a key" if later else "names no key"
        remarks = [f"The file {begins}; its notes are those of {key.name}."]
    changes: list[KeyChange] = []
    refused: list[Key] = []
    current = key
    for bar, end in zip(later, edges[1:], strict=True):
        stated = later[bar]
        section, sounding = _between(melody, beside, bar, end)
        gain = share_outside(current, section, sounding) - share_outside(stated, section, sounding)
        if stated.fifths == current.fifths or not section:
            continue
        if gain < _MIN_GAIN:
            refused.append(stated)
            continue
        current = settle_key(
            stated, section, mode_stated=stated.is_minor, may_be_default=True, beside=sounding
        )
        changes.append(KeyChange(bar, current))
    if changes:
        named = ", ".join(
            f"{change.key.name} from bar {change.bar + 1}" for change in changes[:_NAMED_CHANGES]
        )
        more = " and others" if len(changes) > _NAMED_CHANGES else ""
        remarks.append(f"The key changes on the way: {key.name}, then {named}{more}.")
    if refused:
        remarks.append(
            f"A change of key to {refused[0].name} does not fit the notes and was left out."
            if len(refused) == 1
            else f"{len(refused)} changes of key do not fit the notes and were left out."
        )
    return replace(melody, key=key, key_changes=tuple(changes)), tuple(remarks)


def _by_bar(melody: Melody, signatures: Sequence[tuple[Fraction, Key]]) -> dict[int, Key]:
    """The signatures by the bar with the nearest barline, within the melody; of a bar the last."""
    barlines = melody.barlines
    found: dict[int, Key] = {}
    for onset, key in signatures[:_MAX_CHANGES]:
        bar = min(range(len(barlines)), key=lambda each: abs(barlines[each] - onset))
        if 0 < bar < melody.bar_count:
            found[bar] = key
    return dict(sorted(found.items()))


def _between(
    melody: Melody, beside: Sequence[PartNote], first_bar: int, end_bar: int
) -> tuple[list[Note], list[PartNote]]:
    """The notes of melody and parts that begin in the bars from ``first_bar`` to ``end_bar``."""
    barlines = melody.barlines
    start, end = barlines[first_bar], barlines[end_bar]
    if first_bar == 0:
        start = min(start, melody.notes[0].onset)
    return (
        [note for note in melody.notes if start <= note.onset < end],
        [note for note in beside if start <= note.onset < end],
    )
