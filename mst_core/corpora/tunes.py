"""Corpora: tunes to learn from, one JSON object a line.

A line holds ``id``, ``meter``, ``key``, ``notes`` (a list of ``[pitch or null, onset, duration]``,
contiguous, times in quarter notes as exact fractions), ``bar_starts`` and ``pickup``. Time is
counted here in ticks of 1/24 quarter (`TICKS_PER_QUARTER`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from mst_core.errors import BadOption, UnreadableScore
from mst_core.music import TICKS_PER_QUARTER, Key, Meter


@dataclass(frozen=True, slots=True)
class TuneEvent:
    """A note or, with pitch None, a rest. Times in ticks from the first downbeat."""

    pitch: int | None
    onset: int
    duration: int


@dataclass(frozen=True, slots=True)
class CorpusTune:
    """A tune as the networks see it: contiguous events over a grid of bars."""

    id: str
    title: str
    meter: Meter
    key: Key | None
    events: tuple[TuneEvent, ...]
    barlines: tuple[int, ...]
    """Where full bars begin, in ticks; the first is 0 and a pickup comes before it."""
    cluster: str = ""
    """Name shared with its variants, where the corpus tells; a split keeps them together."""
    bar_splits: tuple[int, ...] = ()
    """Where a repeat sign splits a bar, in ticks: a part ends there and another begins."""

    @property
    def bar_ticks(self) -> int:
        """Length of a bar of its meter, in ticks."""
        return int(self.meter.bar_length * TICKS_PER_QUARTER)


def to_ticks(quarters: Fraction | str) -> int:
    """Round a time in quarter notes to the nearest tick."""
    return round(Fraction(quarters) * TICKS_PER_QUARTER)


def read_tunes(paths: Iterable[Path]) -> Iterator[CorpusTune]:
    """Read corpus files line by line.

    Raises:
        UnreadableScore: naming file and line of what is not a tune.
    """
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield parse_tune(json.loads(line))
                except (ValueError, KeyError, TypeError, IndexError, BadOption) as error:
                    raise UnreadableScore(
                        f"{path.name}, line {number} is not a tune ({error!r})",
                        "a corpus has one JSON object a line",
                    ) from error


def parse_tune(line: dict[str, Any]) -> CorpusTune:
    """Make a tune of one decoded line; onset 0 becomes the first full bar."""
    meter = Meter.parse(line["meter"])
    starts = [Fraction(start) for start in line["bar_starts"]]
    end = sum((Fraction(part) for part in line["notes"][-1][1:]), Fraction(0))
    barlines = full_bars(starts, end, meter.bar_length)
    first = barlines[0]
    splits = {start for start in starts if first < start < end} - set(barlines)
    events = []
    for pitch, onset, duration in line["notes"]:
        start, stop = Fraction(onset) - first, Fraction(onset) + Fraction(duration) - first
        ticks = to_ticks(stop) - to_ticks(start)
        if ticks > 0:
            events.append(TuneEvent(pitch, to_ticks(start), ticks))
    return CorpusTune(
        id=line["id"],
        title=line.get("title", ""),
        meter=meter,
        key=parse_key(line.get("key") or ""),
        events=tuple(events),
        barlines=tuple(to_ticks(start - first) for start in barlines),
        cluster=str(line.get("cluster") or ""),
        bar_splits=tuple(sorted(to_ticks(start - first) for start in splits)),
    )


def full_bars(starts: list[Fraction], end: Fraction, bar: Fraction) -> list[Fraction]:
    """Join the parts of bars that a repeat sign splits, and leave out a pickup."""
    starts = [start for start in starts if start < end] or [Fraction(0)]
    lengths = [after - start for start, after in zip(starts, [*starts[1:], end], strict=True)]
    joined: list[Fraction] = []
    index = 0
    while index < len(starts):
        if index == 0 and lengths[0] < bar and len(starts) > 1:
            index += 1  # the pickup
            continue
        joined.append(starts[index])
        split = index + 1 < len(starts) and lengths[index] + lengths[index + 1] == bar
        index += 2 if split else 1
    return joined


def parse_key(text: str) -> Key | None:
    """Read a key of any of the corpora (``Gmaj``, ``Bb-maj``, ``E- major``), or None."""
    flat = re.sub(r"^([A-G])-( |$)", r"\1b\2", text.strip())
    try:
        return Key.parse(flat) if flat else None
    except BadOption:
        return None
