"""How near a tune's rhythm is to a target's, told from what stands where in the bar.

Two profiles are compared, by half the sum of their differences: which notes and rests begin at each
place of the bar, and which of them follow each other. A tune is as near as the target's own tunes
when it has the usual in the usual measure: more of it would be as far off as less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import to_ticks
from mst_core.statistics.style_statistics import ENTROPY_WINDOW_NOTES, MeterStatistics
from mst_core.transfer.change_path import IntArray
from mst_core.transfer.log_odds import LogOdds

# Numbers for rhythms, so that a whole tune's rhythm is an array.


class RhythmIndex:
    """Numbers for all that a note can have, and where it then stands in the bar."""

    def __init__(self) -> None:
        self.times: list[tuple[Fraction, Fraction]] = []
        """For each number the onset from the start of the unit, and the duration, in quarters."""
        self._rows: list[tuple[int, int, int, int, int, int]] = []
        self._ids: dict[tuple[object, ...], int] = {}
        self._table: NDArray[np.int64] = np.zeros((6, 0), dtype=np.int64)

    def ids(
        self,
        passage: int,
        bar: int,
        begin: int,
        rhythm: Sequence[tuple[Fraction, Fraction]],
        first: bool,
        end: Fraction,
    ) -> IntArray:
        """The numbers of a rhythm's notes, (M,).

        ``begin`` is the place in the ``bar``, in ticks, where its unit begins; it is ``first``
        when the unit begins with it, and ends at ``end`` quarters from the unit's start.
        """
        nexts = [*(onset for onset, _ in rhythm), end][1:]
        found = []
        for place, ((onset, duration), following) in enumerate(zip(rhythm, nexts, strict=True)):
            before = onset if first and place == 0 else Fraction(0)
            after = following - onset - duration
            key = (passage, begin, onset, duration, before, after)
            if key not in self._ids:
                self._ids[key] = len(self.times)
                self.times.append((onset, duration))
                ticks = to_ticks(duration)
                stands = (begin + to_ticks(onset)) % bar
                self._rows.append((passage, bar, stands, ticks, to_ticks(before), to_ticks(after)))
            found.append(self._ids[key])
        return np.array(found, dtype=np.int64)

    @property
    def table(self) -> NDArray[np.int64]:
        """For each number passage, bar, place, duration, rest before and after; (6, numbers)."""
        if self._table.shape[1] < len(self._rows):
            self._table = np.array(self._rows, dtype=np.int64).T
        return self._table


RhythmProfile = Mapping[tuple[int, ...], float]
"""Shares of (place, ticks, rest), or of (place, ticks, rest, next ticks, next rest)."""
TURNS = 0.5
"""Weight of what follows what against what stands where."""
ODDS = 0.6
"""Weight of what tells the target from the tune's own style against its usual profile."""
VARIETY = 0.4
"""Weight of how varied the note values are against which they are."""
REACH = 2.2
"""How far a version speaks for its target before more is no gain; the target's own tunes: 1 by our
own odds, which a listener that knows longer contexts hears as half as much."""
LEAST_WAY = 0.05
"""Nats: a tune that speaks for its target already has no way to go."""
_WIDTHS = (256, 1024, 2048, 2, 2048, 2)
"""Room in a code for passage, place, ticks, rest, next ticks, next rest; more counts as most."""


def duration_profile(habits: MeterStatistics) -> RhythmProfile:
    """Shares of the notes and rests at each place of the bar."""
    total = sum(rhythm.notes + rhythm.rests for rhythm in habits.rhythm_counts) or 1
    counts = {(r.position, r.duration, 0): r.notes for r in habits.rhythm_counts}
    counts |= {(r.position, r.duration, 1): r.rests for r in habits.rhythm_counts}
    return {name: count / total for name, count in counts.items() if count}


def bigram_profile(habits: MeterStatistics) -> RhythmProfile:
    """Shares of what follows what."""
    total = sum(turn.count for turn in habits.duration_bigrams) or 1
    return {
        (t.position, t.duration, int(t.is_rest), t.next_duration, int(t.next_is_rest)): t.count
        / total
        for t in habits.duration_bigrams
    }


@dataclass(frozen=True, slots=True)
class SectionTarget:
    """What a passage is held against."""

    weight: float
    """The passage's share of the tune's notes."""
    durations: RhythmProfile
    bigrams: RhythmProfile
    duration_entropy: float | None = None
    """Entropy of its note values in bits."""
    log_odds: LogOdds | None = None
    """Against the style that the tune comes from, where that is another one."""


class RhythmSimilarity:
    """A target to hold versions of one tune against."""

    def __init__(self, index: RhythmIndex, targets: Sequence[SectionTarget], own: IntArray) -> None:
        """``own`` are the tune's own values, from where the way begins."""
        self._index = index
        self._durations = _Distribution(
            {
                _encode_one(number, *name): standard.weight * share
                for number, standard in enumerate(targets)
                for name, share in standard.durations.items()
            }
        )
        self._bigrams = _Distribution(
            {
                _encode_one(number, *name): standard.weight * share
                for number, standard in enumerate(targets)
                for name, share in standard.bigrams.items()
            }
        )
        self._log_odds = [standard.log_odds for standard in targets]
        told = [(s.weight, s.duration_entropy) for s in targets if s.duration_entropy is not None]
        weight = sum(share for share, _ in told)
        self._duration_entropy = (
            sum(share * bits for share, bits in told) / weight if weight else None
        )
        self._cache: dict[int, float] = {}
        self._target_log_odds = sum(
            s.weight * s.log_odds.target_mean for s in targets if s.log_odds
        )
        self._start = 0.0
        self._start = self._mean_log_odds(self._event_codes(own)[2])

    def __call__(self, values: IntArray) -> float:
        """How near a tune is whose notes have these values: 1 is alike, 0 nothing in common."""
        notes, rests, turns = self._event_codes(values)
        near = self._durations.overlap(np.append(notes, rests))
        near = (1 - TURNS) * near + TURNS * self._bigrams.overlap(turns)
        way = self._target_log_odds - self._start
        if way <= LEAST_WAY:
            return near
        progress = (self._mean_log_odds(turns) - self._start) / way
        return (1 - ODDS) * near + ODDS * min(progress, REACH)

    def of_whole_draft(self, values: IntArray) -> float:
        """The same for a whole draft, which must also be as varied as the target's tunes are.

        On the way there it need not: a tune that is half changed has the values of both.
        """
        near = self(values)
        if self._duration_entropy is None:
            return near
        off = abs(duration_entropy_of(self._index.table[3, values]) - self._duration_entropy)
        return (1 - VARIETY) * near + VARIETY * max(0.0, 1 - off)

    def _mean_log_odds(self, bigrams: NDArray[np.int64]) -> float:
        """How much they speak for the target, in nats a turn."""
        if not any(self._log_odds) or not len(bigrams):
            return 0.0
        told = self._cache
        return sum(
            told[code] if code in told else self._log_odds_of(code) for code in bigrams.tolist()
        ) / len(bigrams)

    def _log_odds_of(self, code: int) -> float:
        passage, *turn = _decode(code)
        odds = self._log_odds[passage]
        place, ticks, rest, following, silent = turn
        self._cache[code] = 0.0 if odds is None else odds((place, ticks, rest, following, silent))
        return self._cache[code]

    def _event_codes(
        self, values: IntArray
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Codes of the notes, of the rests, and of what follows what."""
        passage, bar, place, ticks, before, after = self._index.table[:, values]
        rest = after.copy()
        rest[:-1] += before[1:] * (passage[:-1] == passage[1:])
        silent = rest > 0
        zero = np.zeros_like(rest)
        stands = (place + ticks) % bar
        notes = _encode(passage, place, ticks, zero)
        rests = _encode(passage, stands, rest, zero + 1)[silent]
        follows = np.append(ticks[1:], 0)
        from_notes = _encode(
            passage, place, ticks, zero, np.where(silent, rest, follows), silent.astype(np.int64)
        )
        from_rests = _encode(passage, stands, rest, zero + 1, follows, zero)
        inner = slice(0, max(0, len(values) - 1))
        turns = np.append(from_notes[inner], from_rests[inner][silent[inner]])
        return notes, rests, turns


def duration_entropy_of(durations: IntArray) -> float:
    """Entropy of note values in bits: the mean over windows of `ENTROPY_WINDOW_NOTES` notes."""
    found = []
    for start in range(0, max(1, len(durations) - ENTROPY_WINDOW_NOTES + 1), ENTROPY_WINDOW_NOTES):
        counts = np.bincount(durations[start : start + ENTROPY_WINDOW_NOTES])
        shares = counts[counts > 0] / counts.sum()
        found.append(-float((shares * np.log2(shares)).sum()))
    return sum(found) / len(found)


class _Distribution:
    """A distribution over codes."""

    def __init__(self, shares: Mapping[int, float]) -> None:
        codes = np.array(sorted(shares), dtype=np.int64)
        self._codes = np.append(codes, np.iinfo(np.int64).max)
        self._shares = np.array([*(shares[int(code)] for code in codes), 0.0])

    def _index_of(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        places = np.searchsorted(self._codes, codes)
        places[self._codes[places] != codes] = len(self._codes) - 1
        return places

    def overlap(self, codes: NDArray[np.int64]) -> float:
        """What a sample of codes and the distribution have in common, 0 to 1."""
        if not len(codes):
            return 0.0
        ours = np.bincount(self._index_of(codes), minlength=len(self._codes)) / len(codes)
        return float(np.minimum(ours, self._shares).sum())


def _encode_one(*parts: int) -> int:
    return int(_encode(*(np.array([part]) for part in parts))[0])


def _encode(*parts: NDArray[np.int64]) -> NDArray[np.int64]:
    code = np.zeros_like(parts[0])
    for part, width in zip(parts, _WIDTHS, strict=False):
        code = code * width + np.minimum(part, width - 1)
    return code


def _decode(code: int) -> list[int]:
    parts = []
    for width in reversed(_WIDTHS):
        code, part = divmod(code, width)
        parts.append(part)
    return parts[::-1]
