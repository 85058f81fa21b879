"""Numbers for rhythms, so that a whole tune's rhythm is an array."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import to_ticks
from mst_core.transfer.change_path import Values


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
