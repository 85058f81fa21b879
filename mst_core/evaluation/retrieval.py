"""One tune: whether a rhythm finds the tune that it was made like, among fifty of its kind.

Each target is cut in two halves. What is judged may know the first half only; it is compared with
the second halves of all targets, and the place of its own among them is read: 1 / place, whose
mean over targets is the mean reciprocal rank.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from mst_core.corpora.tunes import CorpusTune
from mst_core.evaluation.pieces import as_melody, is_even, normal_title, window
from mst_core.evaluation.rhythm_features import Rhythm, divergence, kind_of
from mst_core.music import Melody

FEWEST_BARS = 8
"""In each half."""
TARGETS = 50


@dataclass(frozen=True)
class Halves:
    """A target: what is shown of it, and what is kept back."""

    first: CorpusTune
    second: CorpusTune

    @classmethod
    def of(cls, tune: CorpusTune) -> Halves | None:
        """Cut an even tune on its middle barline; None when a half is too short or empty."""
        bars = len(tune.barlines) // 2
        if bars < FEWEST_BARS:
            return None
        halves = window(tune, 0, bars), window(tune, bars, len(tune.barlines) - bars)
        if any(len([e for e in half.events if e.pitch is not None]) < 16 for half in halves):
            return None
        return cls(*halves)

    @property
    def kind(self) -> str:
        """Its kind of bar."""
        return kind_of(self.first.meter)

    @cached_property
    def shown(self) -> Melody:
        """The first half as music."""
        return as_melody(self.first)

    @cached_property
    def hidden(self) -> Counter[object]:
        """What the second half is made of."""
        return traits(Rhythm.of_tune(self.second))


def traits(rhythm: Rhythm) -> Counter[object]:
    """Places with durations, and pairs of durations with the place of the first."""
    notes = rhythm.notes
    found: Counter[object] = Counter(("at", note.place, note.ticks) for note in notes)
    found.update(("pair", a.place, a.ticks, b.ticks) for a, b in pairwise(notes))
    return found


def reciprocal_rank(rhythm: Rhythm, own: int, targets: Sequence[Halves]) -> float:
    """1 / the place of the own target by nearness of its hidden half; ties count half."""
    heard = traits(rhythm)
    far = [divergence(heard, target.hidden) for target in targets]
    nearer = sum(distance < far[own] for distance in far)
    level = sum(distance == far[own] for distance in far) - 1
    return 1 / (1 + nearer + level / 2)


def choose_targets(tunes: Iterable[CorpusTune], count: int = TARGETS) -> list[Halves]:
    """Up to so many targets of one kind of bar, the one that most tunes have; a title once."""
    kinds: dict[str, dict[str, Halves]] = {}
    for tune in sorted(tunes, key=lambda tune: zlib.crc32(tune.id.encode())):
        halves = Halves.of(tune) if is_even(tune) else None
        if halves is not None:
            kinds.setdefault(halves.kind, {}).setdefault(normal_title(tune), halves)
    found = max(kinds.values(), key=len, default={})
    return list(found.values())[:count]
