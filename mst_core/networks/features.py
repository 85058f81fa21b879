"""The features of a context: their names, and how many embedding rows each needs.

A context is a row of small integers; the value of a feature selects one of its rows of the
embedding. Many values begin with the tokens of a style's duration vocabulary (V of them), so the
sizes differ from style to style; the values after the tokens mean "none" or the like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mst_core.corpora.vocabulary import N_PITCH_TOKENS, START_TOKEN
from mst_core.networks.match_model import CONFIDENCE_LEVELS, LAST_SEEN_LEVELS, NO_INTERVAL

LOOK_BACK_BARS = (1, 2, 4, 8, 12, 16)
"""The features look at the same position this many bars earlier."""
KNOWN_METERS = ("2/2", "4/4", "2/4", "3/4", "6/8", "9/8", "12/8", "3/8", "3/2", "6/4", "5/4")
"""Meters with a value of their own; the next value is "other"."""
MAX_BAR_TICKS = 240
"""Ticks; later positions count as this."""
POSITIONS = MAX_BAR_TICKS + 1
HALF_BEAT_TICKS = 12
HALF_BEATS = MAX_BAR_TICKS // HALF_BEAT_TICKS + 1
NO_DEGREE = 12
DEGREE_VALUES = 13 * 3
"""Chromatic degrees or none, by mode: major, minor, unknown."""
PERIOD_BARS = 8
"""Bars of a period."""
MAX_RUN = 7
"""Consecutive events equal to those of an earlier bar; longer runs count as this."""
RUN_VALUES = MAX_RUN + 1
CONTOUR_LEVEL_BY_RUN = (0, 1, 2, 2, 2, 3, 3, 3)
"""Level of a run of events with the intervals and durations of an earlier bar, by its length."""
CONTOUR_LEVELS = 4
NO_EARLIER_EVENT = 2 * N_PITCH_TOKENS
"""The tune had not begun then."""
MAX_COUNT = 32
"""Largest number of bars, notes or half beats; the next value is "none"."""
MAX_PICKUP_TICKS = 96
MAX_DISTANCE = 25
"""Largest distance in semitones to the lowest, highest or mean pitch; the next value is "none"."""
MAX_TONE = 25
"""Largest distance in semitones from a tonic near the middle, up or down; then comes "none"."""
LOWEST_PITCH = 20
PITCH_VALUES = 80
"""MIDI numbers from the lowest on; the last value is "none"."""
RECENCY_LEVELS = 5
"""When a pitch class last sounded: never, earlier, within four bars, one bar, half a bar."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a context, and its rows of the embedding."""

    name: str
    values: int
    """Number of values, not counting duration tokens."""
    variants: int = 1
    """Rows for each value: a second small number, such as a confidence, is part of the feature."""
    has_durations: bool = False
    """Whether the duration tokens come first."""

    def size(self, vocabulary_size: int) -> int:
        """Return the number of rows with a vocabulary of that many durations."""
        return (self.values + vocabulary_size * self.has_durations) * self.variants


def _duration_feature(name: str, values: int = 1, variants: int = 1) -> Feature:
    """Return a feature whose first values are the duration tokens."""
    return Feature(name, values, variants, has_durations=True)


def _pitch_features() -> Iterator[Feature]:
    """Yield the features of the pitch network in the order of `MelodyState.pitch_context`."""
    yield Feature("interval", START_TOKEN + 1)
    yield Feature("interval before", START_TOKEN + 1)
    yield Feature("interval before that", START_TOKEN + 1)
    yield _duration_feature("duration")
    yield _duration_feature("duration before")
    yield _duration_feature("duration before that")
    yield Feature("meter", len(KNOWN_METERS) + 1)
    yield Feature("position", POSITIONS)
    yield Feature("bar of the period", PERIOD_BARS + 1)
    yield Feature("bars left and half beat", PERIOD_BARS + 1, HALF_BEATS)
    yield Feature("bar", MAX_COUNT + 2)
    yield Feature("bars left", MAX_COUNT + 2)
    yield Feature("pickup", MAX_PICKUP_TICKS + 1)
    yield Feature("ticks to the next boundary", 3, POSITIONS)
    yield Feature("bars since the section began", MAX_COUNT + 2)
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
        yield Feature(f"recency of the pitch class {interval} above", RECENCY_LEVELS)
    yield Feature("notes since a rest", MAX_COUNT + 2)
    yield Feature("half beats since a rest", MAX_COUNT + 2)
    for match in ("event", "contour", "pitch and position"):
        yield Feature(f"interval by {match} match", NO_INTERVAL + 1, CONFIDENCE_LEVELS)
    for match in ("event", "rhythm"):
        yield _duration_feature(f"duration by {match} match", 1, CONFIDENCE_LEVELS)
    yield _duration_feature("duration last seen at position", 1, LAST_SEEN_LEVELS)
    for context in ("pitch and position", "pitch and interval", "two intervals"):
        yield Feature(f"interval last seen after {context}", NO_INTERVAL + 1, LAST_SEEN_LEVELS)
    for bars in LOOK_BACK_BARS:
        yield Feature(f"interval to {bars} bars back", NO_EARLIER_EVENT + 1)
        yield Feature(f"interval to the event after {bars} bars back", NO_EARLIER_EVENT + 1)
        yield Feature(f"interval {bars} bars back, by contour", NO_INTERVAL + 1, CONTOUR_LEVELS)
        yield _duration_feature(f"duration {bars} bars back", 2)
        yield Feature(f"run of events as {bars} bars back", RUN_VALUES)


def _duration_features() -> Iterator[Feature]:
    """Yield those of the duration network: the pitch network's first, then the chosen pitch."""
    yield from _pitch_features()
    yield Feature("interval now", START_TOKEN + 1)
    yield Feature("degree now", DEGREE_VALUES)
    yield Feature("tone now", 2 * MAX_TONE + 2, 3)
    for match in ("event", "contour", "pitch and position"):
        yield _duration_feature(f"duration by {match} match, by interval", 1, 2 * CONFIDENCE_LEVELS)
    for context in ("interval and position", "pitch and position", "duration, interval, position"):
        yield _duration_feature(f"duration last seen at {context}", 1, LAST_SEEN_LEVELS)
    for bars in LOOK_BACK_BARS:
        yield Feature(f"pitch as {bars} bars back, by run", 3, RUN_VALUES)
        yield _duration_feature(f"duration {bars} bars back, by pitch and interval", 2, 4)


PITCH_FEATURES = tuple(_pitch_features())
DURATION_FEATURES = tuple(_duration_features())


def embedding_sizes(features: Sequence[Feature], vocabulary_size: int) -> tuple[int, ...]:
    """Return the number of embedding rows of each feature of a network, (F,).

    Args:
        features: `PITCH_FEATURES` or `DURATION_FEATURES`.
        vocabulary_size: durations of the style, V.
    """
    return tuple(feature.size(vocabulary_size) for feature in features)


def matching_rows(
    features: Sequence[Feature], vocabulary_size: int, tokens: Sequence[int]
) -> list[int]:
    """Return the rows of an embedding that initialize one of another vocabulary.

    Args:
        features: `PITCH_FEATURES` or `DURATION_FEATURES`.
        vocabulary_size: durations of the known embedding's vocabulary, V.
        tokens: for each duration of the other vocabulary the nearest token of this one.

    Returns:
        For each row of the other embedding the row of this one with the same meaning.
    """
    rows, start = [], 0
    for feature in features:
        known = vocabulary_size * feature.has_durations
        values = [
            *(tokens if feature.has_durations else ()),
            *range(known, known + feature.values),
        ]
        rows += [
            start + value * feature.variants + variant
            for value in values
            for variant in range(feature.variants)
        ]
        start += feature.size(vocabulary_size)
    return rows
