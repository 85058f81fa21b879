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
from mst_core.statistics.style_statistics import WINDOW, MeterHabits
from mst_core.transfer.change_path import Values
from mst_core.transfer.log_odds import Odds

# Numbers for rhythms, so that a whole tune's rhythm is an array.


class Book:
    """Numbers for all that a note can have, and where it then stands in the bar."""

    def __init__(self) -> None:
        self.table: list[tuple[Fraction, Fraction]] = []
        """For each number the onset from the start of the unit, and the duration, in quarters."""
        self._rows: list[tuple[int, int, int, int, int, int]] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._columns: NDArray[np.int64] = np.zeros((6, 0), dtype=np.int64)

    def numbers(
        self,
        passage: int,
        bar: int,
        begin: int,
        rhythm: Sequence[tuple[Fraction, Fraction]],
        first: bool,
        end: Fraction,
    ) -> Values:
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
            if key not in self._numbers:
                self._numbers[key] = len(self.table)
                self.table.append((onset, duration))
                ticks = to_ticks(duration)
                stands = (begin + to_ticks(onset)) % bar
                self._rows.append((passage, bar, stands, ticks, to_ticks(before), to_ticks(after)))
            found.append(self._numbers[key])
        return np.array(found, dtype=np.int64)

    @property
    def columns(self) -> NDArray[np.int64]:
        """For each number passage, bar, place, duration, rest before and after; (6, numbers)."""
        if self._columns.shape[1] < len(self._rows):
            self._columns = np.array(self._rows, dtype=np.int64).T
        return self._columns


Profile = Mapping[tuple[int, ...], float]
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


def value_profile(habits: MeterHabits) -> Profile:
    """Shares of the notes and rests at each place of the bar."""
    total = sum(rhythm.notes + rhythm.rests for rhythm in habits.rhythms) or 1
    counts = {(r.place, r.ticks, 0): r.notes for r in habits.rhythms}
    counts |= {(r.place, r.ticks, 1): r.rests for r in habits.rhythms}
    return {name: count / total for name, count in counts.items() if count}


def turn_profile(habits: MeterHabits) -> Profile:
    """Shares of what follows what."""
    total = sum(turn.count for turn in habits.turns) or 1
    return {
        (t.place, t.ticks, int(t.rest), t.next_ticks, int(t.next_rest)): t.count / total
        for t in habits.turns
    }


@dataclass(frozen=True, slots=True)
class Standard:
    """What a passage is held against."""

    weight: float
    """The passage's share of the tune's notes."""
    values: Profile
    turns: Profile
    variety: float | None = None
    """Entropy of its note values in bits."""
    odds: Odds | None = None
    """Against the style that the tune comes from, where that is another one."""


class Likeness:
    """A target to hold versions of one tune against."""

    def __init__(self, book: Book, standards: Sequence[Standard], own: Values) -> None:
        """``own`` are the tune's own values, from where the way begins."""
        self._book = book
        self._values = _Shares(
            {
                _code(number, *name): standard.weight * share
                for number, standard in enumerate(standards)
                for name, share in standard.values.items()
            }
        )
        self._turns = _Shares(
            {
                _code(number, *name): standard.weight * share
                for number, standard in enumerate(standards)
                for name, share in standard.turns.items()
            }
        )
        self._odds = [standard.odds for standard in standards]
        told = [(s.weight, s.variety) for s in standards if s.variety is not None]
        weight = sum(share for share, _ in told)
        self._variety = sum(share * bits for share, bits in told) / weight if weight else None
        self._told: dict[int, float] = {}
        self._usual = sum(s.weight * s.odds.usual for s in standards if s.odds)
        self._from = 0.0
        self._from = self._mean_odds(self._turn_codes(own)[2])

    def __call__(self, values: Values) -> float:
        """How near a tune is whose notes have these values: 1 is alike, 0 nothing in common."""
        notes, rests, turns = self._turn_codes(values)
        near = self._values.nearness(np.append(notes, rests))
        near = (1 - TURNS) * near + TURNS * self._turns.nearness(turns)
        way = self._usual - self._from
        if way <= LEAST_WAY:
            return near
        progress = (self._mean_odds(turns) - self._from) / way
        return (1 - ODDS) * near + ODDS * min(progress, REACH)

    def as_whole(self, values: Values) -> float:
        """The same for a whole draft, which must also be as varied as the target's tunes are.

        On the way there it need not: a tune that is half changed has the values of both.
        """
        near = self(values)
        if self._variety is None:
            return near
        off = abs(variety_of(self._book.columns[3, values]) - self._variety)
        return (1 - VARIETY) * near + VARIETY * max(0.0, 1 - off)

    def _mean_odds(self, turns: NDArray[np.int64]) -> float:
        """How much they speak for the target, in nats a turn."""
        if not any(self._odds) or not len(turns):
            return 0.0
        told = self._told
        return sum(
            told[code] if code in told else self._tell(code) for code in turns.tolist()
        ) / len(turns)

    def _tell(self, code: int) -> float:
        passage, *turn = _parts(code)
        odds = self._odds[passage]
        place, ticks, rest, following, silent = turn
        self._told[code] = 0.0 if odds is None else odds((place, ticks, rest, following, silent))
        return self._told[code]

    def _turn_codes(
        self, values: Values
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Codes of the notes, of the rests, and of what follows what."""
        passage, bar, place, ticks, before, after = self._book.columns[:, values]
        rest = after.copy()
        rest[:-1] += before[1:] * (passage[:-1] == passage[1:])
        silent = rest > 0
        zero = np.zeros_like(rest)
        stands = (place + ticks) % bar
        notes = _codes(passage, place, ticks, zero)
        rests = _codes(passage, stands, rest, zero + 1)[silent]
        follows = np.append(ticks[1:], 0)
        from_notes = _codes(
            passage, place, ticks, zero, np.where(silent, rest, follows), silent.astype(np.int64)
        )
        from_rests = _codes(passage, stands, rest, zero + 1, follows, zero)
        inner = slice(0, max(0, len(values) - 1))
        turns = np.append(from_notes[inner], from_rests[inner][silent[inner]])
        return notes, rests, turns


def variety_of(durations: Values) -> float:
    """Entropy of note values in bits, the mean over whole windows of `WINDOW` notes."""
    found = []
    for start in range(0, max(1, len(durations) - WINDOW + 1), WINDOW):
        counts = np.bincount(durations[start : start + WINDOW])
        shares = counts[counts > 0] / counts.sum()
        found.append(-float((shares * np.log2(shares)).sum()))
    return sum(found) / len(found)


class _Shares:
    """A distribution over codes."""

    def __init__(self, shares: Mapping[int, float]) -> None:
        codes = np.array(sorted(shares), dtype=np.int64)
        self._codes = np.append(codes, np.iinfo(np.int64).max)
        self._shares = np.array([*(shares[int(code)] for code in codes), 0.0])

    def _place(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        places = np.searchsorted(self._codes, codes)
        places[self._codes[places] != codes] = len(self._codes) - 1
        return places

    def nearness(self, codes: NDArray[np.int64]) -> float:
        """What a sample of codes and the distribution have in common, 0 to 1."""
        if not len(codes):
            return 0.0
        ours = np.bincount(self._place(codes), minlength=len(self._codes)) / len(codes)
        return float(np.minimum(ours, self._shares).sum())


def _code(*parts: int) -> int:
    return int(_codes(*(np.array([part]) for part in parts))[0])


def _codes(*parts: NDArray[np.int64]) -> NDArray[np.int64]:
    code = np.zeros_like(parts[0])
    for part, width in zip(parts, _WIDTHS, strict=False):
        code = code * width + np.minimum(part, width - 1)
    return code


def _parts(code: int) -> list[int]:
    parts = []
    for width in reversed(_WIDTHS):
        code, part = divmod(code, width)
        parts.append(part)
    return parts[::-1]
