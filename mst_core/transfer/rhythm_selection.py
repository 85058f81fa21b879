"""Selects the rhythm that each class of bars gets at full strength.

In a tune of few rhythms, such as a reel, bars with as many notes share theirs. So toward a style
of such tunes the drafts of classes with as many notes are pooled, and one rhythm is selected for
all of them (docs/decisions.md#few-rhythms). Toward other styles each class has its own.

Two classes with the same pitches but different rhythms are different music. They never get the
same rhythm, so that no bars become equal that were not.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from mst_core.transfer.bar_classes import BarClass
from mst_core.transfer.change_path import Alternatives, select_drafts
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.rhythm_interpolation import RhythmPattern


def select_rhythms(
    own: NDArray[np.int64],
    classes: Sequence[BarClass],
    similarity: Callable[[NDArray[np.int64]], float],
    config: TransferConfig = TransferConfig(),
    on_step: Callable[[], None] = lambda: None,
) -> list[RhythmPattern]:
    """Select a rhythm for each class of bars.

    Args:
        own: the ids (N,) of the tune as it is.
        classes: with their drafts.
        similarity: of the ids of a whole draft (N,) to the target.
        config: bounds of the search and of the pools.
        on_step: called before each step of the search.

    Returns:
        The rhythm of each class; its own one where no draft may be taken.
    """
    pools: dict[tuple[Hashable, int], list[int]] = defaultdict(list)
    ranks = _clash_ranks(classes)
    for index, bar_class in enumerate(classes):
        is_shared = bar_class.shared_rhythm_share >= config.pooled_share
        key = bar_class.pool_key if is_shared else index
        pools[key, ranks[index]].append(index)
    n_ranks = max(ranks, default=0) + 1
    n_clashing = Counter(bar_class.pitch_key for bar_class in classes)
    chosen = [bar_class.own for bar_class in classes]
    members = list(pools.values())
    candidates = []
    for (_, rank), indices in pools.items():
        pooled = [classes[index] for index in indices]
        drafts = Counter(draft for each in pooled for draft in each.drafts)
        starts_on_line = any(each.own[0][0] == 0 for each in pooled)
        # The commonest first: what several drafts have is no accident.
        allowed = [
            draft for draft, _ in drafts.most_common() if draft[0][0] == 0 or not starts_on_line
        ]
        if any(n_clashing[each.pitch_key] > 1 for each in pooled):
            allowed = [draft for draft in allowed if _draw(draft, n_ranks) == rank]
        candidates.append(allowed[: config.max_pooled_rhythms])
    options = [
        Alternatives(
            np.concatenate([classes[index].notes for index in indices]),
            tuple(classes[indices[0]].ids(draft) for draft in drafts),
        )
        for indices, drafts in zip(members, candidates, strict=True)
    ]
    selectable = [index for index, drafts in enumerate(candidates) if drafts]
    picks = select_drafts(
        own, [options[index] for index in selectable], similarity, config, on_step
    )
    for index, pick in zip(selectable, picks, strict=True):
        for member in members[index]:
            chosen[member] = candidates[index][pick]
    return chosen


def _draw(rhythm: RhythmPattern, n_ranks: int) -> int:
    """The rank, from 0, whose classes alone may take a rhythm where several clash."""
    return zlib.crc32(repr(rhythm).encode()) % n_ranks


def _clash_ranks(classes: Sequence[BarClass]) -> list[int]:
    """A number for each class; classes with the same pitches have different ones, from 0."""
    seen: Counter[Hashable] = Counter()
    ranks = []
    for bar_class in classes:
        ranks.append(seen[bar_class.pitch_key])
        seen[bar_class.pitch_key] += 1
    return ranks
