"""The features of a context by name and size: what a network's embedding table holds.

A context is a row of small integers; the value of a feature picks one of its rows of the table.
Many values begin with the tokens of a style's dictionary of durations, so the same catalogue gives
another size with each dictionary; what comes after the tokens says "none" or the like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mst_core.corpora.vocabulary import INTERVALS, START
from mst_core.networks.match_model import GRADES, NO_INTERVAL, SURENESS

LOOK_BACK = (1, 2, 4, 8, 12, 16)
"""Bars."""
METERS = ("2/2", "4/4", "2/4", "3/4", "6/8", "9/8", "12/8", "3/8", "3/2", "6/4", "5/4")
LONGEST_BAR = 240
"""Ticks; places beyond it share one feature."""
PLACES = LONGEST_BAR + 1
HALF_BEAT = 12
"""Ticks."""
HALF_BEATS = LONGEST_BAR // HALF_BEAT + 1
NO_DEGREE = 12
DEGREES = 13 * 3
"""Degrees of the chromatic scale or none, by mode: major, minor, unknown."""
PERIOD = 8
"""Bars of a period."""
LONGEST_RUN = 7
"""Events in a row that go like an earlier bar; longer runs count as this."""
RUNS = LONGEST_RUN + 1
MOVE_GRADES = (0, 1, 2, 2, 2, 3, 3, 3)
"""Runs of events that move as some bars ago, in other pitches perhaps, told apart less finely."""
MOVES = 4
ABSENT = 2 * INTERVALS
"""Looking back beyond the first note."""
MOST = 32
"""Bars, notes or half beats that are told apart when counted; the next value is "none"."""
LONGEST_PICKUP = 96
"""Ticks."""
WIDEST = 25
"""Semitones to the lowest, highest or mean pitch that are told apart; the next is "none"."""
SPREAD = 25
"""Semitones around a tonic near the middle that are told apart; the next is "none"."""
LOWEST_PITCH = 20
PITCHES = 80
"""MIDI numbers from the lowest that are told apart; the last is "none"."""
RECENCIES = 5
"""When a pitch class sounded: never, long ago, within four bars, one bar, half a bar."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its values, each of so many rows of the table."""

    name: str
    values: int
    """Values, without those that the tokens of durations take."""
    rows: int = 1
    """Rows of each value: another small number goes with it, such as how sure it is."""
    tokens: bool = False
    """Whether the tokens of durations come first."""

    def size(self, durations: int) -> int:
        """Rows in all for a dictionary of so many durations."""
        return (self.values + durations * self.tokens) * self.rows


def _duration(name: str, values: int = 1, rows: int = 1) -> Feature:
    return Feature(name, values, rows, tokens=True)


def _pitch_features() -> Iterator[Feature]:
    yield Feature("interval", START + 1)
    yield Feature("interval before", START + 1)
    yield Feature("interval before that", START + 1)
    yield _duration("duration")
    yield _duration("duration before")
    yield _duration("duration before that")
    yield Feature("meter", len(METERS) + 1)
    yield Feature("place", PLACES)
    yield Feature("bar of the period", PERIOD + 1)
    yield Feature("bars left", PERIOD + 1, HALF_BEATS)
    yield Feature("bar", MOST + 2)
    yield Feature("bars left in all", MOST + 2)
    yield Feature("pickup", LONGEST_PICKUP + 1)
    yield Feature("ticks to the next line", 3, PLACES)
    yield Feature("bars of the section", MOST + 2)
    yield Feature("bars to the next section", MOST + 2)
    yield Feature("lengths of this bar and the last", 3, 3)
    yield Feature("key", DEGREES)
    yield Feature("degree", DEGREES)
    yield Feature("tone", 2 * SPREAD + 2, 3)
    yield Feature("above the lowest", WIDEST + 2)
    yield Feature("below the highest", WIDEST + 2)
    yield Feature("above the mean", WIDEST + 2)
    yield Feature("pitch", PITCHES)
    for interval in range(12):
        yield Feature(f"last heard {interval} above", RECENCIES)
    yield Feature("notes since a rest", MOST + 2)
    yield Feature("half beats since a rest", MOST + 2)
    for match in ("line", "tune", "place"):
        yield Feature(f"interval that the {match} recalls", NO_INTERVAL + 1, GRADES)
    for match in ("line", "rhythm"):
        yield _duration(f"duration that the {match} recalls", 1, GRADES)
    yield _duration("duration that was last at the place", 1, SURENESS)
    for habit in ("pitch and place", "pitch and interval", "two intervals"):
        yield Feature(f"interval that was last after the {habit}", NO_INTERVAL + 1, SURENESS)
    for bars in LOOK_BACK:
        yield Feature(f"interval to {bars} bars back", ABSENT + 1)
        yield Feature(f"interval to what came after {bars} bars back", ABSENT + 1)
        yield Feature(f"interval as {bars} bars back", NO_INTERVAL + 1, MOVES)
        yield _duration(f"duration {bars} bars back", 2)
        yield Feature(f"events as {bars} bars back", RUNS)


def _duration_features() -> Iterator[Feature]:
    yield from _pitch_features()
    yield Feature("interval now", START + 1)
    yield Feature("degree now", DEGREES)
    yield Feature("tone now", 2 * SPREAD + 2, 3)
    for match in ("line", "tune", "place"):
        yield _duration(f"duration that the {match} recalls for its interval", 1, 2 * GRADES)
    for habit in ("interval and place", "pitch and place", "duration, interval and place"):
        yield _duration(f"duration that was last at the {habit}", 1, SURENESS)
    for bars in LOOK_BACK:
        yield Feature(f"pitch as {bars} bars back", 3, RUNS)
        yield _duration(f"duration {bars} bars back, by pitch and move", 2, 4)


PITCH_FEATURES = tuple(_pitch_features())
DURATION_FEATURES = tuple(_duration_features())
"""Those of the pitch network first: the duration network sees all that it saw, then the pitch."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The features of one network with the dictionary's size: all that its table needs."""

    features: tuple[Feature, ...]
    durations: int

    @classmethod
    def pitch(cls, durations: int) -> Layout:
        """Features of a pitch network for a dictionary of so many durations."""
        return cls(PITCH_FEATURES, durations)

    @classmethod
    def duration(cls, durations: int) -> Layout:
        """Features of a duration network."""
        return cls(DURATION_FEATURES, durations)

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the order of a row."""
        return tuple(feature.name for feature in self.features)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many rows of the table each feature has."""
        return tuple(feature.size(self.durations) for feature in self.features)

    def rows_for(self, tokens: Sequence[int]) -> list[int]:
        """The rows of this table that another dictionary's table begins with.

        ``tokens`` gives this dictionary's token for each of the other's; what is no token of a
        duration keeps its row.
        """
        rows, start = [], 0
        for feature in self.features:
            known = self.durations * feature.tokens
            values = [*(tokens if feature.tokens else ()), *range(known, known + feature.values)]
            rows += [
                start + value * feature.rows + place
                for value in values
                for place in range(feature.rows)
            ]
            start += feature.size(self.durations)
        return rows
