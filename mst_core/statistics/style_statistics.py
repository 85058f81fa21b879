"""What the tunes of a corpus do, counted: rhythms in the bar, cadences, keys, range, repeats.

Composing keeps to these habits, so that no tune has a rhythm that no player of the style would
write. They are measured once, by training, and lie in the style's folder as ``habits.json``.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import DurationVocabulary, interval_token
from mst_core.errors import BrokenStyle
from mst_core.statistics.repetition import count_repetition_patterns

# How the melodies of a corpus move: which interval follows which, on which degrees of the key.

IntervalBigrams = tuple[tuple[int, int, int], ...]
"""(interval token, next interval token, how often)."""


def count_interval_bigrams(tunes: Sequence[CorpusTune], min_count: int) -> IntervalBigrams:
    """Count pairs of intervals in a row, rests left out; what is rarer than ``fewest`` too."""
    counts: Counter[tuple[int, int]] = Counter()
    for tune in tunes:
        pitches = [event.pitch for event in tune.events if event.pitch is not None]
        tokens = [interval_token(after - before) for before, after in pairwise(pitches)]
        counts.update(pairwise(tokens))
    return tuple((*step, count) for step, count in sorted(counts.items()) if count >= min_count)


def count_scale_degrees(tunes: Sequence[CorpusTune]) -> dict[str, tuple[int, ...]]:
    """Count pitches by semitones above the tonic, in keys with a major and with a minor third."""
    counts = {"major": [0] * 12, "minor": [0] * 12}
    for tune in tunes:
        if tune.key is None:
            continue
        row = counts["minor" if tune.key.is_minor else "major"]
        for event in tune.events:
            if event.pitch is not None:
                row[(event.pitch - tune.key.tonic) % 12] += 1
    return {mode: tuple(row) for mode, row in counts.items() if any(row)}


STATISTICS_FILE = "habits.json"
ENTROPY_WINDOW_NOTES = 64
"""Notes: about eight bars, as long as a listener keeps in mind."""
MIN_COUNT = 3
"""A rhythm seen less often than this in a meter counts as an accident."""

Counts = dict[str, int]


class RhythmCount(msgspec.Struct, frozen=True, array_like=True):
    """So often an event began at this place in the bar and lasted this long, both in ticks."""

    position: int
    duration: int
    notes: int
    rests: int


class DurationBigram(msgspec.Struct, frozen=True, array_like=True):
    """So often an event that began at this place of the bar was followed by such another one."""

    position: int
    duration: int
    is_rest: bool
    next_duration: int
    next_is_rest: bool
    count: int


class MeterStatistics(
    msgspec.Struct,
    frozen=True,
    rename={
        "n_tunes": "tunes",
        "n_bars": "bars",
        "rhythm_counts": "rhythms",
        "final_onsets": "endings",
        "notes_per_bar": "notes_a_bar",
        "duration_bigrams": "turns",
        "duration_entropy": "variety",
    },
):
    """Habits of one meter."""

    n_tunes: int
    n_bars: int
    rhythm_counts: tuple[RhythmCount, ...]
    final_onsets: dict[int, int]
    """Place in the bar where the last note of a tune began, and how often."""
    notes_per_bar: tuple[float, float, float]
    """The 10th, 50th and 90th percentile over tunes."""
    pickups: dict[int, int] = {}
    """Lengths of pickups in ticks, 0 for none, and how many tunes begin with them."""
    duration_bigrams: tuple[DurationBigram, ...] = ()
    """Two events in a row; none in the habits of an older training."""
    duration_entropy: float | None = None
    """Entropy of the note values in bits, the mean over windows of `ENTROPY_WINDOW_NOTES` notes."""


class StyleStatistics(
    msgspec.Struct,
    frozen=True,
    rename={
        "lowest_pitch": "lowest",
        "highest_pitch": "highest",
        "interval_counts": "intervals",
        "repeated_phrase_share": "repeats",
        "interval_bigrams": "steps",
        "scale_degrees": "degrees",
        "repetition_patterns": "returns",
    },
):
    """Habits of a style."""

    meters: dict[str, MeterStatistics]
    keys: dict[str, int]
    """Names of keys as ``D major``, and how many tunes stand in them."""
    lowest_pitch: int
    highest_pitch: int
    """MIDI numbers: all but one note in a hundred lies between, at either end."""
    interval_counts: tuple[int, ...]
    """Counts by interval token."""
    final_degrees: tuple[int, ...]
    """Counts of the last pitch, in semitones above the tonic."""
    repeated_phrase_share: float
    """Share of tunes that play a two-bar phrase again, note for note."""
    interval_bigrams: IntervalBigrams = ()
    """Which interval follows which."""
    scale_degrees: dict[str, tuple[int, ...]] = {}
    """Counts of pitches by semitones above the tonic, for ``major`` and ``minor`` keys."""
    repetition_patterns: dict[str, int] = {}
    """Which bars return (`mst_core.statistics.repetition`), and in how many tunes so."""

    def save(self, folder: Path) -> None:
        """Write them into a style's folder."""
        (folder / STATISTICS_FILE).write_bytes(
            msgspec.json.format(msgspec.json.encode(self), indent=0)
        )

    @classmethod
    def load(cls, folder: Path) -> StyleStatistics:
        """Read them from a style's folder. Raises BrokenStyle."""
        try:
            return msgspec.json.decode((folder / STATISTICS_FILE).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise BrokenStyle(folder.name, f"{STATISTICS_FILE}: {error}") from error


def count_statistics(
    tunes: Sequence[CorpusTune], vocabulary: DurationVocabulary, *, min_count: int = MIN_COUNT
) -> StyleStatistics:
    """Count the habits of a corpus; a rhythm seen less often than ``fewest`` is left out."""
    known = set(vocabulary.ticks)
    rhythms: dict[str, Counter[tuple[int, int, bool]]] = defaultdict(Counter)
    varieties: dict[str, list[float]] = defaultdict(list)
    turns: dict[str, Counter[tuple[int, int, bool, int, bool]]] = defaultdict(Counter)
    endings: dict[str, Counter[int]] = defaultdict(Counter)
    densities: dict[str, list[float]] = defaultdict(list)
    pickups: dict[str, Counter[int]] = defaultdict(Counter)
    bars: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    pitches: Counter[int] = Counter()
    intervals = [0] * 26
    finals = [0] * 12
    for tune in tunes:
        meter = str(tune.meter)
        last: int | None = None
        for event, after in pairwise(tune.events):
            turns[meter][
                event.onset % tune.bar_ticks,
                event.duration,
                event.pitch is None,
                after.duration,
                after.pitch is None,
            ] += 1
        for event in tune.events:
            place = event.onset % tune.bar_ticks
            if event.duration in known:
                rhythms[meter][place, event.duration, event.pitch is None] += 1
            if event.pitch is None:
                intervals[25] += 1
                continue
            pitches[event.pitch] += 1
            if last is not None:
                intervals[interval_token(event.pitch - last)] += 1
            last = event.pitch
        sounding = [event for event in tune.events if event.pitch is not None]
        if not sounding:
            continue
        varieties[meter] += window_entropies([event.duration for event in sounding])
        endings[meter][sounding[-1].onset % tune.bar_ticks] += 1
        pickups[meter][max(0, -sounding[0].onset)] += 1
        densities[meter].append(len(sounding) / len(tune.barlines))
        bars[meter] += len(tune.barlines)
        if tune.key:
            keys[tune.key.name] += 1
            finals[((sounding[-1].pitch or 0) - tune.key.tonic) % 12] += 1
    return StyleStatistics(
        meters={
            meter: MeterStatistics(
                n_tunes=len(densities[meter]),
                n_bars=bars[meter],
                rhythm_counts=_rhythm_counts(rhythms[meter], min_count),
                final_onsets=dict(endings[meter].most_common(6)),
                notes_per_bar=_percentiles(densities[meter]),
                pickups=dict(pickups[meter].most_common(4)),
                duration_bigrams=tuple(
                    DurationBigram(*turn, count)
                    for turn, count in sorted(turns[meter].items())
                    if count >= min_count
                ),
                duration_entropy=round(sum(varieties[meter]) / len(varieties[meter]), 3),
            )
            for meter in sorted(densities, key=lambda name: -len(densities[name]))
        },
        keys=dict(keys.most_common()),
        lowest_pitch=_percentile(pitches, 0.01),
        highest_pitch=_percentile(pitches, 0.99),
        interval_counts=tuple(intervals),
        final_degrees=tuple(finals),
        repeated_phrase_share=sum(map(has_repeated_phrase, tunes)) / max(len(tunes), 1),
        interval_bigrams=count_interval_bigrams(tunes, min_count),
        scale_degrees=count_scale_degrees(tunes),
        repetition_patterns=count_repetition_patterns(tunes),
    )


def merge_meters(meters: Sequence[MeterStatistics]) -> MeterStatistics:
    """The habits of meters with equal bars as those of one."""
    rhythms: Counter[tuple[int, int, bool]] = Counter()
    turns: Counter[tuple[int, int, bool, int, bool]] = Counter()
    endings: Counter[int] = Counter()
    for habits in meters:
        for rhythm in habits.rhythm_counts:
            rhythms[rhythm.position, rhythm.duration, False] += rhythm.notes
            rhythms[rhythm.position, rhythm.duration, True] += rhythm.rests
        for turn in habits.duration_bigrams:
            turns[
                turn.position, turn.duration, turn.is_rest, turn.next_duration, turn.next_is_rest
            ] += turn.count
        endings.update(habits.final_onsets)
    bars = sum(habits.n_bars for habits in meters)

    def mean(of: Callable[[MeterStatistics], float]) -> float:
        return sum(habits.n_bars * of(habits) for habits in meters) / max(1, bars)

    known = all(habits.duration_entropy is not None for habits in meters)
    return MeterStatistics(
        n_tunes=sum(habits.n_tunes for habits in meters),
        n_bars=bars,
        rhythm_counts=_rhythm_counts(rhythms, 1),
        final_onsets=dict(endings.most_common()),
        notes_per_bar=(
            mean(lambda habits: habits.notes_per_bar[0]),
            mean(lambda habits: habits.notes_per_bar[1]),
            mean(lambda habits: habits.notes_per_bar[2]),
        ),
        duration_bigrams=tuple(
            DurationBigram(*turn, count) for turn, count in sorted(turns.items())
        ),
        duration_entropy=mean(lambda habits: habits.duration_entropy or 0.0) if known else None,
    )


def _rhythm_counts(counts: Counter[tuple[int, int, bool]], fewest: int) -> tuple[RhythmCount, ...]:
    pairs = sorted({(place, ticks) for place, ticks, _ in counts})
    found = (
        RhythmCount(place, ticks, counts[place, ticks, False], counts[place, ticks, True])
        for place, ticks in pairs
    )
    return tuple(rhythm for rhythm in found if rhythm.notes + rhythm.rests >= fewest)


def _percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    rising = sorted(values)
    low, middle, high = (rising[int(share * (len(rising) - 1))] for share in (0.1, 0.5, 0.9))
    return round(low, 2), round(middle, 2), round(high, 2)


def _percentile(counts: Counter[int], share: float) -> int:
    rest = share * counts.total()
    for value in sorted(counts):
        rest -= counts[value]
        if rest <= 0:
            return value
    return max(counts)


def window_entropies(durations: Sequence[int]) -> list[float]:
    """Entropy of the note values in each whole window, in bits; of all when they fill none."""
    found = []
    for start in range(0, max(1, len(durations) - ENTROPY_WINDOW_NOTES + 1), ENTROPY_WINDOW_NOTES):
        counts = Counter(durations[start : start + ENTROPY_WINDOW_NOTES])
        shares = [count / counts.total() for count in counts.values()]
        found.append(-sum(share * math.log2(share) for share in shares))
    return found


def has_repeated_phrase(tune: CorpusTune, bars: int = 2) -> bool:
    """Whether some phrase of so many bars comes back note for note, from a barline to a barline."""
    length = bars * tune.bar_ticks
    seen: set[tuple[tuple[int | None, int, int], ...]] = set()
    at = {start: index for index, start in enumerate(tune.barlines)}
    phrases: dict[int, list[tuple[int | None, int, int]]] = {start: [] for start in at}
    for event in tune.events:
        for start in range(
            event.onset - event.onset % tune.bar_ticks - length + tune.bar_ticks,
            event.onset + 1,
            tune.bar_ticks,
        ):
            if start in phrases:
                phrases[start].append((event.pitch, event.onset - start, event.duration))
    for notes in phrases.values():
        if len(notes) < 4:
            continue
        whole = tuple(notes)
        if whole in seen:
            return True
        seen.add(whole)
    return False
