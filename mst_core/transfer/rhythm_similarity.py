"""The similarity of a tune's rhythm to a target's: profiles of events, and log-odds.

Two profiles are compared by histogram intersection: which notes and rests begin at each position of
the bar, and which of them follow each other. A tune is similar when it has each event as often as
the target's own tunes have it; more of it lowers the similarity as less does. Log-odds against the
style that the tune comes from are added where it has another than the target
(docs/decisions.md#log-odds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import to_ticks
from mst_core.statistics.style_statistics import MeterStatistics
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.event_counts import EventCounts
from mst_core.transfer.log_odds import LogOdds

RhythmProfile = Mapping[tuple[int, ...], float]
"""Shares of (position, ticks, rest), or of (position, ticks, rest, next ticks, next rest)."""
_WIDTHS = (256, 1024, 2048, 2, 2048, 2)
"""Radix in a code of section, position, ticks, rest, next ticks, next rest; more counts as most."""


class RhythmIndex:
    """Ids for every onset and duration that a note can have, so that a tune's rhythm is an array.

    Two notes have the same id when section, position of the bar group, onset, duration and the
    rests before and after them are the same.
    """

    def __init__(self) -> None:
        self.times: list[tuple[Fraction, Fraction]] = []
        """For each id onset from the start of the bar group and duration, in quarter notes."""
        self._rows: list[tuple[int, int, int, int, int, int]] = []
        self._ids: dict[tuple[object, ...], int] = {}
        self._table: NDArray[np.int64] = np.zeros((6, 0), dtype=np.int64)

    def ids(
        self,
        section: int,
        bar_ticks: int,
        start_position: int,
        rhythm: Sequence[tuple[Fraction, Fraction]],
        opens_group: bool,
        end: Fraction,
    ) -> NDArray[np.int64]:
        """The ids of a rhythm's M notes; new ones are added to the index.

        Args:
            section: index of the section that the bar group belongs to.
            bar_ticks: length of its bars, in ticks.
            start_position: position in the bar where the bar group begins, in ticks.
            rhythm: onset from the start of the bar group and duration of each note, in quarters.
            opens_group: whether the first of them is the first of the group; then a rest before it
                counts.
            end: time from the start of the group, in quarters, where the rest after the last note
                ends.

        Returns:
            One id a note, (M,).
        """
        nexts = [*(onset for onset, _ in rhythm), end][1:]
        found = []
        for note, ((onset, duration), following) in enumerate(zip(rhythm, nexts, strict=True)):
            before = onset if opens_group and note == 0 else Fraction(0)
            after = following - onset - duration
            key = (section, start_position, onset, duration, before, after)
            if key not in self._ids:
                self._ids[key] = len(self.times)
                self.times.append((onset, duration))
                ticks = to_ticks(duration)
                position = (start_position + to_ticks(onset)) % bar_ticks
                self._rows.append(
                    (section, bar_ticks, position, ticks, to_ticks(before), to_ticks(after))
                )
            found.append(self._ids[key])
        return np.array(found, dtype=np.int64)

    @property
    def table(self) -> NDArray[np.int64]:
        """Rows section, bar length, position, duration, rest before and rest after, (6, ids).

        All but the section are in ticks.
        """
        if self._table.shape[1] < len(self._rows):
            self._table = np.array(self._rows, dtype=np.int64).T
        return self._table


def duration_profile(statistics: MeterStatistics) -> RhythmProfile:
    """Shares of the notes and rests at each position of the bar; they sum to 1."""
    counts = {(r.position, r.duration, 0): r.notes for r in statistics.rhythm_counts}
    counts |= {(r.position, r.duration, 1): r.rests for r in statistics.rhythm_counts}
    total = sum(rhythm.notes + rhythm.rests for rhythm in statistics.rhythm_counts) or 1
    return {name: count / total for name, count in counts.items() if count}


def bigram_profile(statistics: MeterStatistics) -> RhythmProfile:
    """Shares of the pairs of consecutive events; they sum to 1."""
    total = sum(bigram.count for bigram in statistics.duration_bigrams) or 1
    return {
        (b.position, b.duration, int(b.is_rest), b.next_duration, int(b.next_is_rest)): b.count
        / total
        for b in statistics.duration_bigrams
    }


@dataclass(frozen=True, slots=True)
class SectionTarget:
    """What the rhythm of one section of a tune is compared with."""

    weight: float
    """The section's share of the tune's notes."""
    durations: RhythmProfile
    bigrams: RhythmProfile
    duration_entropy: float | None = None
    """Bits; None where the style's statistics lack it."""
    log_odds: LogOdds | None = None
    """Against the style that the tune comes from; None where that is the target itself."""


class RhythmSimilarity:
    """Similarity of versions of one tune to a target: 0 nothing in common, 1 alike.

    The progress of the log-odds may take it above 1, up to the gain cap.
    """

    def __init__(
        self,
        index: RhythmIndex,
        targets: Sequence[SectionTarget],
        own: NDArray[np.int64],
        config: TransferConfig = TransferConfig(),
    ) -> None:
        """Prepare the comparison.

        Args:
            index: the ids of the versions' notes.
            targets: one for each section, in the order of the index's section numbers.
            own: the ids (N,) of the tune as it is, from where progress is measured.
            config: the weights.
        """
        self._index, self._config = index, config
        self._log_odds = [target.log_odds for target in targets]
        known = [(t.weight, t.duration_entropy) for t in targets if t.duration_entropy is not None]
        weight = sum(share for share, _ in known)
        self._duration_entropy = (
            sum(share * bits for share, bits in known) / weight if weight else None
        )
        self._short_share = sum(
            target.weight * _short_share(target.durations, config.short_note) for target in targets
        )
        self._rest_share = sum(target.weight * _rest_share(target.durations) for target in targets)
        self._target_log_odds = sum(
            t.weight * t.log_odds.target_mean for t in targets if t.log_odds
        )
        self._counts = EventCounts(
            self._event_codes,
            {
                _encode_one(section, *name): target.weight * share
                for section, target in enumerate(targets)
                for name, share in target.durations.items()
            },
            {
                _encode_one(section, *name): target.weight * share
                for section, target in enumerate(targets)
                for name, share in target.bigrams.items()
            },
            self._log_odds_of,
            lambda values: self._index.table[3, values],
        )
        self._counts.update(own)
        self._start = self._counts.bigrams.mean_weight

    def __call__(self, values: NDArray[np.int64]) -> float:
        """Similarity of the version whose notes have these ids, (N,)."""
        overlap, progress, _ = self._overlap_and_progress(values)
        if progress is None:
            return overlap
        weight = self._config.rhythm_log_odds_weight
        return (1 - weight) * overlap + weight * min(progress, self._config.rhythm_gain_cap)

    def of_whole_draft(self, values: NDArray[np.int64]) -> float:
        """The similarity of a whole draft (N,), which should be like one tune of the style.

        Its log-odds should be those of real tunes, neither less nor more; so should its duration
        entropy, and it should have no more short notes than they. Versions on the change path are
        not judged by these: a tune that is half changed has the durations of both rhythms.
        """
        config = self._config
        overlap, progress, n_rests = self._overlap_and_progress(values)
        similarity = overlap
        if progress is not None:
            weight = config.rhythm_log_odds_weight
            similarity *= 1 - weight
            similarity += weight * (1 - abs(progress - config.rhythm_progress))
        ticks = self._counts.durations
        if self._duration_entropy is not None:
            weight = config.entropy_weight
            off = abs(self._counts.duration_entropy - self._duration_entropy)
            similarity = (1 - weight) * similarity + weight * (1 - off)
        short = float((ticks < config.short_note).mean())
        similarity -= config.short_weight * max(0.0, short - self._short_share)
        rests = n_rests / max(1, len(values))
        return similarity - config.rest_weight * max(0.0, rests - self._rest_share)

    def _overlap_and_progress(self, values: NDArray[np.int64]) -> tuple[float, float | None, int]:
        """Overlap of the profiles, progress of the log-odds, and number of rests."""
        config = self._config
        counts = self._counts
        counts.update(values)
        overlap = (1 - config.bigram_weight) * counts.events.overlap
        overlap += config.bigram_weight * counts.bigrams.overlap
        distance = self._target_log_odds - self._start
        if distance <= config.min_distance:
            return overlap, None, counts.n_rests
        progress = (counts.bigrams.mean_weight - self._start) / distance
        return overlap, progress, counts.n_rests

    def _log_odds_of(self, code: int) -> float:
        """Log-odds of one coded bigram, in nats; 0 in sections without log-odds."""
        section, position, ticks, rest, next_ticks, next_rest = _decode(code)
        log_odds = self._log_odds[section]
        return 0.0 if log_odds is None else log_odds((position, ticks, rest, next_ticks, next_rest))

    def _event_codes(
        self, values: NDArray[np.int64], notes: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Codes of events and bigrams: see `event_counts.CodeFunction`."""
        table, last = self._index.table, len(values) - 1
        section, bar, position, ticks, _, after = table[:, values[notes]]
        following = table[:, values[np.minimum(notes + 1, last)]]
        inner = notes < last
        rest = after + following[4] * (inner & (section == following[0]))
        has_rest = rest > 0
        zero = np.zeros_like(rest)
        after_note = np.where(has_rest, rest, following[3])
        note = _encode(section, position, ticks, zero)
        rest_code = _encode(section, (position + ticks) % bar, rest, zero + 1)
        return np.array(
            [
                note,
                np.where(has_rest, rest_code, -1),
                np.where(inner, _join(note, after_note, has_rest), -1),
                np.where(inner & has_rest, _join(rest_code, following[3], zero), -1),
            ]
        )


def _short_share(durations: RhythmProfile, short_note: int) -> float:
    """Share of the notes of a profile of events that are shorter than ``short_note`` ticks."""
    notes = sum(share for (_, _, rest), share in durations.items() if not rest)
    short = sum(s for (_, ticks, rest), s in durations.items() if not rest and ticks < short_note)
    return short / notes if notes else 0.0


def _rest_share(durations: RhythmProfile) -> float:
    """Rests a note in a profile of events."""
    rests = sum(share for (_, _, rest), share in durations.items() if rest)
    return rests / (1 - rests) if rests < 1 else 0.0


def _encode_one(*parts: int) -> int:
    """The code of one event or bigram."""
    return int(_encode(*(np.array([part]) for part in parts))[0])


def _encode(*parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Mixed-radix codes of 4 or 6 parts, each (N,)."""
    code = np.zeros_like(parts[0])
    for part, width in zip(parts, _WIDTHS, strict=False):
        code = code * width + np.minimum(part, width - 1)
    return code


def _join(
    code: NDArray[np.int64], next_ticks: NDArray[np.int64], next_rest: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Codes (N,) of bigrams that begin with events of codes (N,)."""
    width, next_width = _WIDTHS[4:]
    return (code * width + np.minimum(next_ticks, width - 1)) * next_width + next_rest


def _decode(code: int) -> list[int]:
    """The six parts of a bigram's code."""
    parts = []
    for width in reversed(_WIDTHS):
        code, part = divmod(code, width)
        parts.append(part)
    return parts[::-1]
