"""The features of a context by name and size: what a network's embedding table holds.

A context is a row of small integers; the value of a feature picks one of its rows of the table.
Many values begin with the tokens of a style's dictionary of durations, so the same catalogue gives
another size with each dictionary; what comes after the tokens says "none" or the like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mst_core.corpora.vocabulary import N_PITCH_TOKENS, START_TOKEN
from mst_core.networks.match_model import CONFIDENCE_LEVELS, LAST_SEEN_LEVELS, NO_INTERVAL

LOOK_BACK_BARS = (1, 2, 4, 8, 12, 16)
"""Bars."""
KNOWN_METERS = ("2/2", "4/4", "2/4", "3/4", "6/8", "9/8", "12/8", "3/8", "3/2", "6/4", "5/4")
MAX_BAR_TICKS = 240
"""Ticks; places beyond it share one feature."""
POSITIONS = MAX_BAR_TICKS + 1
HALF_BEAT_TICKS = 12
"""Ticks."""
HALF_BEATS = MAX_BAR_TICKS // HALF_BEAT_TICKS + 1
NO_DEGREE = 12
DEGREE_VALUES = 13 * 3
"""Degrees of the chromatic scale or none, by mode: major, minor, unknown."""
PERIOD_BARS = 8
"""Bars of a period."""
MAX_RUN = 7
"""Events in a row that go like an earlier bar; longer runs count as this."""
RUN_VALUES = MAX_RUN + 1
CONTOUR_LEVEL_BY_RUN = (0, 1, 2, 2, 2, 3, 3, 3)
"""Runs of events that move as some bars ago, in other pitches perhaps, told apart less finely."""
CONTOUR_LEVELS = 4
NO_EARLIER_EVENT = 2 * N_PITCH_TOKENS
"""Looking back beyond the first note."""
MAX_COUNT = 32
"""Bars, notes or half beats that are told apart when counted; the next value is "none"."""
MAX_PICKUP_TICKS = 96
"""Ticks."""
MAX_DISTANCE = 25
"""Semitones to the lowest, highest or mean pitch that are told apart; the next is "none"."""
MAX_TONE = 25
"""Semitones around a tonic near the middle that are told apart; the next is "none"."""
LOWEST_PITCH = 20
PITCH_VALUES = 80
"""MIDI numbers from the lowest that are told apart; the last is "none"."""
RECENCY_LEVELS = 5
"""When a pitch class sounded: never, long ago, within four bars, one bar, half a bar."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its values, each of so many rows of the table."""

    name: str
    values: int
    """Values, without those that the tokens of durations take."""
    variants: int = 1
    """Rows of each value: another small number goes with it, such as how sure it is."""
    has_durations: bool = False
    """Whether the tokens of durations come first."""

    def size(self, vocabulary_size: int) -> int:
        """Rows in all for a dictionary of so many durations."""
        return (self.values + vocabulary_size * self.has_durations) * self.variants


def _duration_feature(name: str, values: int = 1, rows: int = 1) -> Feature:
    return Feature(name, values, rows, has_durations=True)


def _pitch_features() -> Iterator[Feature]:
    yield Feature("interval", START_TOKEN + 1)
    yield Feature("interval before", START_TOKEN + 1)
    yield Feature("interval before that", START_TOKEN + 1)
    yield _duration_feature("duration")
    yield _duration_feature("duration before")
    yield _duration_feature("duration before that")
    yield Feature("meter", len(KNOWN_METERS) + 1)
    yield Feature("place", POSITIONS)
    yield Feature("bar of the period", PERIOD_BARS + 1)
    yield Feature("bars left", PERIOD_BARS + 1, HALF_BEATS)
    yield Feature("bar", MAX_COUNT + 2)
    yield Feature("bars left in all", MAX_COUNT + 2)
    yield Feature("pickup", MAX_PICKUP_TICKS + 1)
    yield Feature("ticks to the next line", 3, POSITIONS)
    yield Feature("bars of the section", MAX_COUNT + 2)
    yield Feature("bars to the next section", MAX_COUNT + 2)
    yield Feature("lengths of this bar and the last", 3, 3)
    yield Feature("key", DEGREE_VALUES)
    yield Feature("degree", DEGREE_VALUES)
    yield Feature("tone", 2 * MAX_TONE + 2, 3)
    yield Feature("above the lowest", MAX_DISTANCE + 2)
    yield Feature("below the highest", MAX_DISTANCE + 2)
    yield Feature("above the mean", MAX_DISTANCE + 2)
    yield Feature("pitch", PITCH_VALUES)
    for interval in range(12):
        yield Feature(f"last heard {interval} above", RECENCY_LEVELS)
    yield Feature("notes since a rest", MAX_COUNT + 2)
    yield Feature("half beats since a rest", MAX_COUNT + 2)
    for match in ("line", "tune", "place"):
        yield Feature(f"interval that the {match} recalls", NO_INTERVAL + 1, CONFIDENCE_LEVELS)
    for match in ("line", "rhythm"):
        yield _duration_feature(f"duration that the {match} recalls", 1, CONFIDENCE_LEVELS)
    yield _duration_feature("duration that was last at the place", 1, LAST_SEEN_LEVELS)
    for habit in ("pitch and place", "pitch and interval", "two intervals"):
        yield Feature(
            f"interval that was last after the {habit}", NO_INTERVAL + 1, LAST_SEEN_LEVELS
        )
    for bars in LOOK_BACK_BARS:
        yield Feature(f"interval to {bars} bars back", NO_EARLIER_EVENT + 1)
        yield Feature(f"interval to what came after {bars} bars back", NO_EARLIER_EVENT + 1)
        yield Feature(f"interval as {bars} bars back", NO_INTERVAL + 1, CONTOUR_LEVELS)
        yield _duration_feature(f"duration {bars} bars back", 2)
        yield Feature(f"events as {bars} bars back", RUN_VALUES)


def _duration_features() -> Iterator[Feature]:
    yield from _pitch_features()
    yield Feature("interval now", START_TOKEN + 1)
    yield Feature("degree now", DEGREE_VALUES)
    yield Feature("tone now", 2 * MAX_TONE + 2, 3)
    for match in ("line", "tune", "place"):
        yield _duration_feature(
            f"duration that the {match} recalls for its interval", 1, 2 * CONFIDENCE_LEVELS
        )
    for habit in ("interval and place", "pitch and place", "duration, interval and place"):
        yield _duration_feature(f"duration that was last at the {habit}", 1, LAST_SEEN_LEVELS)
    for bars in LOOK_BACK_BARS:
        yield Feature(f"pitch as {bars} bars back", 3, RUN_VALUES)
        yield _duration_feature(f"duration {bars} bars back, by pitch and move", 2, 4)


PITCH_FEATURES = tuple(_pitch_features())
DURATION_FEATURES = tuple(_duration_features())
"""Those of the pitch network first: the duration network sees all that it saw, then the pitch."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """The features of one network with the dictionary's size: all that its table needs."""

    features: tuple[Feature, ...]
    vocabulary_size: int

    @classmethod
    def for_pitch(cls, durations: int) -> FeatureSpec:
        """Features of a pitch network for a dictionary of so many durations."""
        return cls(PITCH_FEATURES, durations)

    @classmethod
    def for_duration(cls, durations: int) -> FeatureSpec:
        """Features of a duration network."""
        return cls(DURATION_FEATURES, durations)

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the order of a row."""
        return tuple(feature.name for feature in self.features)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many rows of the table each feature has."""
        return tuple(feature.size(self.vocabulary_size) for feature in self.features)

    def matching_rows(self, tokens: Sequence[int]) -> list[int]:
        """The rows of this table that another dictionary's table begins with.

        ``tokens`` gives this dictionary's token for each of the other's; what is no token of a
        duration keeps its row.
        """
        rows, start = [], 0
        for feature in self.features:
            known = self.vocabulary_size * feature.has_durations
            values = [
                *(tokens if feature.has_durations else ()),
                *range(known, known + feature.values),
            ]
            rows += [
                start + value * feature.variants + place
                for value in values
                for place in range(feature.variants)
            ]
            start += feature.size(self.vocabulary_size)
        return rows
