"""Form preservation: how much of a tune's form a transfer keeps, from 0 to 1 a metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from fractions import Fraction
from itertools import combinations, pairwise

from mst_core.music import Melody

PHRASE_BARS = 4
"""Length of a phrase in a tune without sections."""


def form_preservation(before: Melody, after: Melody) -> dict[str, float | None]:
    """Compare a tune with its transferred version, bar by bar.

    Args:
        before: the original.
        after: the result. With as many bars as the original its bars are compared by index,
            whatever its meter; otherwise its time axis is scaled to the original's length.

    Returns:
        Metrics by name; a share is None where the original has nothing to keep.
        ``repeats``: recall, the share of the pairs of identical bars (pitch and rhythm) that stay
        identical. ``precision``: the share of the pairs of identical bars of the result that were
        identical before. ``barlines``: the share of the barlines with an onset that keep one.
        ``phrases``: the share of the section starts with an onset that keep one. ``length``: the
        absolute change of the length, relative to the original. ``pickup``: 1 where presence of a
        pickup is preserved, else 0.
    """
    same_bars = before.bar_count == after.bar_count
    lines = before.barlines
    scale = after.length / before.length
    new_lines = after.barlines if same_bars else tuple(line * scale for line in lines)
    old_pairs = _identical_pairs(_bars(before, lines))
    new_pairs = _identical_pairs(_bars(after, new_lines))
    old_onsets = {note.onset for note in before.notes}
    new_onsets = {note.onset for note in after.notes}
    with_onset = [bar for bar in range(before.bar_count) if lines[bar] in old_onsets]
    sections = (
        before.sections if len(before.sections) > 1 else range(0, before.bar_count, PHRASE_BARS)
    )
    starts = set(sections) & set(with_onset)
    kept = {bar for bar in with_onset if new_lines[bar] in new_onsets}
    end = before.bar_count if same_bars else None
    old_length = Fraction(before.bar_count)
    new_length = (
        Fraction(after.bar_count) if end is not None else _length_in_old_bars(before, after)
    )
    return {
        "repeats": _share(old_pairs & new_pairs, old_pairs),
        "precision": _share(old_pairs & new_pairs, new_pairs),
        "barlines": _share(kept, with_onset),
        "phrases": _share(starts & kept, starts),
        "length": float(abs(new_length / old_length - 1)),
        "pickup": float(bool(before.pickup) == bool(after.pickup)),
    }


def _length_in_old_bars(before: Melody, after: Melody) -> Fraction:
    """Length of the result in bars; twice or half as many bars count as the same length."""
    ratio = Fraction(after.bar_count, before.bar_count)
    return Fraction(before.bar_count) if ratio in (2, Fraction(1, 2)) else Fraction(after.bar_count)


def _bars(melody: Melody, lines: Sequence[Fraction]) -> list[Hashable]:
    """Notes of each bar as (onset after the barline, duration, pitch); None for an empty bar."""
    found: list[list[Hashable]] = [[] for _ in lines[:-1]]
    bar = 0
    for note in melody.notes:
        if note.onset < 0:
            continue
        while bar + 1 < len(found) and note.onset >= lines[bar + 1]:
            bar += 1
        found[bar].append((note.onset - lines[bar], note.duration, note.pitch))
    return [tuple(notes) if notes else None for notes in found]


def _identical_pairs(bars: Sequence[Hashable]) -> set[tuple[int, int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, bar in enumerate(bars):
        if bar is not None:
            groups[bar].append(index)
    return {pair for indices in groups.values() for pair in combinations(indices, 2)}


def _share(part: set[object] | set[tuple[int, int]] | set[int], whole: object) -> float | None:
    size = len(whole)  # type: ignore[arg-type]
    return len(part) / size if size else None


def smallest_step(before: Melody) -> float:
    """Compute the smallest share of notes, 0 to 1, that a change of one class of bars must move.

    Moving the border between two notes changes both, in every bar of the class; a bar that occurs
    k times in a tune of n notes forces a step of 2 k / n. The largest such step is returned.
    """
    lines = before.barlines
    classes: dict[Hashable, int] = defaultdict(int)
    for start, end in pairwise(lines):
        notes = [note for note in before.notes if start <= note.onset < end]
        if notes:
            shape = tuple((n.onset - start, n.duration, n.pitch - notes[0].pitch) for n in notes)
            classes[shape] += min(2, len(notes))
    return max(classes.values(), default=0) / max(1, len(before.notes))
