"""Statistics of a style's corpus, by meter: rhythms, final onsets, keys, range, repetition.

The generator keeps to them: a note value at a position in the bar where the corpus never has it is
not written. Training counts them once and writes them into the style folder as
``statistics.json``. Times are in ticks of 1/24 quarter note.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import (
    N_PITCH_TOKENS,
    REST_TOKEN,
    DurationVocabulary,
    interval_token,
)
from mst_core.errors import BrokenStyle
from mst_core.statistics.bar_rhythms import BarRhythm, count_bar_rhythms, shared_rhythm_share
from mst_core.statistics.config import StatisticsConfig
from mst_core.statistics.repetition import count_repetition_patterns

STATISTICS_FILE = "statistics.json"
_OLD_FILE = "habits.json"  # its name up to version 0.1
ENTROPY_WINDOW_NOTES = 64
"""Notes in a window of `window_entropies`, about eight bars: entropies of windows of one length
can be compared, while that of a short tune is biased downwards."""


class RhythmCount(msgspec.Struct, frozen=True, array_like=True):
    """How many notes and rests of one duration begin at one position in the bar."""

    position: int
    """Onset in the bar, in ticks."""
    duration: int
    """Ticks."""
    notes: int
    rests: int


class DurationBigram(msgspec.Struct, frozen=True, array_like=True):
    """How often an event at a position in the bar is followed by another one."""

    position: int
    """Onset in the bar of the first event, in ticks."""
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
    """Statistics of the tunes in one meter."""

    n_tunes: int
    n_bars: int
    rhythm_counts: tuple[RhythmCount, ...]
    final_onsets: dict[int, int]
    """Onset in the bar of a tune's last note, in ticks, and how many tunes end there."""
    notes_per_bar: tuple[float, float, float]
    """10th, 50th and 90th percentile over tunes."""
    pickups: dict[int, int] = {}
    """Length of a pickup in ticks, 0 for none, and how many tunes have it."""
    duration_bigrams: tuple[DurationBigram, ...] = ()
    """Empty in files of an older training."""
    duration_entropy: float | None = None
    """Entropy of note values in bits, mean over windows of 64 notes; None in older files."""
    bar_rhythms: tuple[tuple[int, BarRhythm], ...] = ()
    """Number of bars and rhythm, see `count_bar_rhythms`; empty in older files."""
    shared_rhythm_share: float | None = None
    """See `bar_rhythms.shared_rhythm_share`; None in older files."""


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
    """Statistics of a style's training tunes."""

    meters: dict[str, MeterStatistics]
    keys: dict[str, int]
    """Names of keys, as ``D major``, and how many tunes are in them."""
    lowest_pitch: int
    """MIDI number; one note in a hundred is at or below it."""
    highest_pitch: int
    """MIDI number; one note in a hundred is above it."""
    interval_counts: tuple[int, ...]
    """Counts by interval token, shape ``(26,)``; the last one is the rest."""
    final_degrees: tuple[int, ...]
    """Counts of the last pitch by semitones above the tonic, shape ``(12,)``. Nothing uses it; the
    files have it."""
    repeated_phrase_share: float
    """Share of tunes, 0 to 1, that repeat a two-bar phrase exactly."""
    interval_bigrams: tuple[tuple[int, int, int], ...] = ()
    scale_degrees: dict[str, tuple[int, ...]] = {}
    """Counts of pitches by semitones above the tonic, for ``major`` and ``minor`` keys."""
    repetition_patterns: dict[str, int] = {}
    """Patterns of repeated bars (`mst_core.statistics.repetition`) and their number of tunes."""
    compasses: dict[int, int] = {}
    """Semitones from the lowest to the highest note, and how many passages of sixteen bars (or
    whole shorter tunes) have them; empty in files of an older training."""

    def save(self, folder: Path) -> None:
        """Write ``statistics.json`` into a style folder."""
        content = msgspec.json.format(msgspec.json.encode(self), indent=0)
        (folder / STATISTICS_FILE).write_bytes(content)
        (folder / _OLD_FILE).unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> StyleStatistics:
        """Read ``statistics.json``, or ``habits.json`` of version 0.1, from a style folder.

        Raises:
            BrokenStyle: when neither is there, or the file is damaged.
        """
        path = existing_file(folder, STATISTICS_FILE, _OLD_FILE)
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise BrokenStyle(folder.name, f"{path.name}: {error}") from error


def existing_file(folder: Path, name: str, old_name: str) -> Path:
    """Return the path of a file in a style folder, with its old name if only that one exists.

    Args:
        folder: the style folder.
        name: name of the file.
        old_name: its name in version 0.1.

    Returns:
        A path; no file need be there.
    """
    old = folder / old_name
    return old if old.exists() and not (folder / name).exists() else folder / name


def count_statistics(
    tunes: Sequence[CorpusTune],
    vocabulary: DurationVocabulary,
    config: StatisticsConfig = StatisticsConfig(),
) -> StyleStatistics:
    """Count the statistics of a corpus.

    Args:
        tunes: at least one, each with events.
        vocabulary: durations that it lacks are left out of the rhythm counts.
        config: which counts are kept, and what counts as a repeated bar.
    """
    by_meter: dict[str, list[CorpusTune]] = defaultdict(list)
    keys: Counter[str] = Counter()
    pitches: Counter[int] = Counter()
    interval_counts = [0] * N_PITCH_TOKENS
    final_degrees = [0] * 12
    for tune in tunes:
        by_meter[str(tune.meter)].append(tune)
        sounding = [event.pitch for event in tune.events if event.pitch is not None]
        pitches.update(sounding)
        interval_counts[REST_TOKEN] += len(tune.events) - len(sounding)
        for before, after in pairwise(sounding):
            interval_counts[interval_token(after - before)] += 1
        if tune.key and sounding:
            keys[tune.key.name] += 1
            final_degrees[(sounding[-1] - tune.key.tonic) % 12] += 1
    found = [
        (meter, _count_meter(some, set(vocabulary.ticks), config))
        for meter, some in by_meter.items()
        if any(event.pitch is not None for tune in some for event in tune.events)
    ]
    return StyleStatistics(
        meters=dict(sorted(found, key=lambda pair: -pair[1].n_tunes)),
        keys=dict(keys.most_common()),
        lowest_pitch=_percentile(pitches, 0.01),
        highest_pitch=_percentile(pitches, 0.99),
        interval_counts=tuple(interval_counts),
        final_degrees=tuple(final_degrees),
        repeated_phrase_share=sum(map(has_repeated_phrase, tunes)) / max(len(tunes), 1),
        interval_bigrams=count_interval_bigrams(tunes, config.min_count),
        scale_degrees=count_scale_degrees(tunes),
        repetition_patterns=count_repetition_patterns(tunes, config),
        compasses=count_compasses(tunes),
    )


def count_compasses(tunes: Iterable[CorpusTune], n_bars: int = 16) -> dict[int, int]:
    """Count passages by the semitones from their lowest to their highest note.

    Args:
        tunes: the training tunes of a style.
        n_bars: bars of a passage; a rest of a tune that is shorter is left out, a shorter tune is
            one passage.

    Returns:
        Number of passages by compass, rising.
    """
    counts: Counter[int] = Counter()
    for tune in tunes:
        length = n_bars * tune.bar_ticks
        passages: dict[int, list[int]] = defaultdict(list)
        for event in tune.events:
            if event.pitch is not None:
                passages[max(0, event.onset) // length].append(event.pitch)
        whole = max(1, len(tune.barlines) // n_bars)
        counts.update(max(p) - min(p) for index, p in passages.items() if index < whole)
    return dict(sorted(counts.items()))


def _count_meter(
    tunes: Sequence[CorpusTune], known: Set[int], config: StatisticsConfig
) -> MeterStatistics:
    """Count tunes of one meter, at least one of them with notes."""
    rhythms: Counter[tuple[int, int, bool]] = Counter()
    bigrams: Counter[tuple[int, int, bool, int, bool]] = Counter()
    endings: Counter[int] = Counter()
    pickups: Counter[int] = Counter()
    entropies: list[float] = []
    densities: list[float] = []
    n_bars = 0
    for tune in tunes:
        bar = tune.bar_ticks
        for event, after in pairwise(tune.events):
            rests = event.pitch is None, after.pitch is None
            bigrams[event.onset % bar, event.duration, rests[0], after.duration, rests[1]] += 1
        for event in tune.events:
            if event.duration in known:
                rhythms[event.onset % bar, event.duration, event.pitch is None] += 1
        sounding = [event for event in tune.events if event.pitch is not None]
        if not sounding:
            continue
        entropies += window_entropies([event.duration for event in sounding])
        endings[sounding[-1].onset % bar] += 1
        pickups[max(0, -sounding[0].onset)] += 1
        densities.append(len(sounding) / len(tune.barlines))
        n_bars += len(tune.barlines)
    return MeterStatistics(
        n_tunes=len(densities),
        n_bars=n_bars,
        rhythm_counts=_rhythm_counts(rhythms, config.min_count),
        final_onsets=dict(endings.most_common(6)),
        notes_per_bar=_percentiles(densities),
        pickups=dict(pickups.most_common(4)),
        duration_bigrams=tuple(
            DurationBigram(*bigram, count)
            for bigram, count in sorted(bigrams.items())
            if count >= config.min_count
        ),
        duration_entropy=round(sum(entropies) / len(entropies), 3),
        bar_rhythms=count_bar_rhythms(tunes, config),
        shared_rhythm_share=shared_rhythm_share(tunes, config),
    )


def count_interval_bigrams(
    tunes: Iterable[CorpusTune], min_count: int
) -> tuple[tuple[int, int, int], ...]:
    """Count pairs of successive intervals, rests skipped; those below ``min_count`` are dropped.

    Args:
        tunes: the training tunes of a style.
        min_count: the smallest count that is kept.

    Returns:
        (token of the first interval, token of the second, count), ascending by the tokens.
    """
    counts: Counter[tuple[int, int]] = Counter()
    for tune in tunes:
        pitches = [event.pitch for event in tune.events if event.pitch is not None]
        tokens = [interval_token(after - before) for before, after in pairwise(pitches)]
        counts.update(pairwise(tokens))
    return tuple((*pair, count) for pair, count in sorted(counts.items()) if count >= min_count)


def count_scale_degrees(tunes: Iterable[CorpusTune]) -> dict[str, tuple[int, ...]]:
    """Count pitches by semitones above the tonic, shape ``(12,)``, for each mode that occurs."""
    counts = {"major": [0] * 12, "minor": [0] * 12}
    for tune in tunes:
        if tune.key is None:
            continue
        row = counts["minor" if tune.key.is_minor else "major"]
        for event in tune.events:
            if event.pitch is not None:
                row[(event.pitch - tune.key.tonic) % 12] += 1
    return {mode: tuple(row) for mode, row in counts.items() if any(row)}


def merge_meters(meters: Sequence[MeterStatistics]) -> MeterStatistics:
    """Merge the statistics of meters with equally long bars into one.

    Counts are added; notes per bar and entropy are means weighted by bars. Pickups are left out.
    """
    rhythms: Counter[tuple[int, int, bool]] = Counter()
    bigrams: Counter[tuple[int, int, bool, int, bool]] = Counter()
    endings: Counter[int] = Counter()
    for meter in meters:
        for rhythm in meter.rhythm_counts:
            rhythms[rhythm.position, rhythm.duration, False] += rhythm.notes
            rhythms[rhythm.position, rhythm.duration, True] += rhythm.rests
        for pair in meter.duration_bigrams:
            bigrams[pair.position, pair.duration, pair.is_rest,
                    pair.next_duration, pair.next_is_rest] += pair.count  # fmt: skip
        endings.update(meter.final_onsets)
    n_bars = sum(meter.n_bars for meter in meters)

    def mean(value: Callable[[MeterStatistics], float]) -> float:
        return sum(meter.n_bars * value(meter) for meter in meters) / max(1, n_bars)

    measured = all(meter.duration_entropy is not None for meter in meters)
    sharing = [meter for meter in meters if meter.shared_rhythm_share is not None]
    bar_rhythms: Counter[BarRhythm] = Counter()
    for meter in meters:
        bar_rhythms.update({rhythm: count for count, rhythm in meter.bar_rhythms})
    return MeterStatistics(
        n_tunes=sum(meter.n_tunes for meter in meters),
        n_bars=n_bars,
        rhythm_counts=_rhythm_counts(rhythms, 1),
        final_onsets=dict(endings.most_common()),
        notes_per_bar=(
            mean(lambda meter: meter.notes_per_bar[0]),
            mean(lambda meter: meter.notes_per_bar[1]),
            mean(lambda meter: meter.notes_per_bar[2]),
        ),
        duration_bigrams=tuple(
            DurationBigram(*bigram, count) for bigram, count in sorted(bigrams.items())
        ),
        duration_entropy=mean(lambda meter: meter.duration_entropy or 0.0) if measured else None,
        bar_rhythms=tuple((count, rhythm) for rhythm, count in bar_rhythms.most_common()),
        shared_rhythm_share=sum(
            meter.n_bars * (meter.shared_rhythm_share or 0.0) for meter in sharing
        )
        / sum(meter.n_bars for meter in sharing)
        if sharing
        else None,
    )


def recount_bar_rhythms(
    statistics: StyleStatistics,
    tunes: Sequence[CorpusTune],
    config: StatisticsConfig = StatisticsConfig(),
) -> StyleStatistics:
    """Return statistics with the whole-bar rhythms of a corpus, all else as it was.

    Args:
        statistics: of a style.
        tunes: that it was trained on.
        config: which rhythms are kept.
    """
    by_meter: dict[str, list[CorpusTune]] = defaultdict(list)
    for tune in tunes:
        by_meter[str(tune.meter)].append(tune)
    return msgspec.structs.replace(
        statistics,
        meters={
            name: msgspec.structs.replace(
                meter,
                bar_rhythms=count_bar_rhythms(by_meter[name], config),
                shared_rhythm_share=shared_rhythm_share(by_meter[name], config),
            )
            for name, meter in statistics.meters.items()
        },
    )


def _rhythm_counts(
    counts: Counter[tuple[int, int, bool]], min_count: int
) -> tuple[RhythmCount, ...]:
    """Pair the counts of notes and rests, sorted by position and duration."""
    pairs = sorted({(position, duration) for position, duration, _ in counts})
    found = (
        RhythmCount(position, ticks, counts[position, ticks, False], counts[position, ticks, True])
        for position, ticks in pairs
    )
    return tuple(rhythm for rhythm in found if rhythm.notes + rhythm.rests >= min_count)


def _percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """10th, 50th and 90th percentile, rounded to two decimals."""
    rising = sorted(values)
    low, middle, high = (rising[int(share * (len(rising) - 1))] for share in (0.1, 0.5, 0.9))
    return round(low, 2), round(middle, 2), round(high, 2)


def _percentile(counts: Counter[int], share: float) -> int:
    """The least value that at least ``share`` of the counted ones do not exceed."""
    rest = share * counts.total()
    for value in sorted(counts):
        rest -= counts[value]
        if rest <= 0:
            return value
    return max(counts)


def window_entropies(durations: Sequence[int] | NDArray[np.int64]) -> list[float]:
    """Entropy in bits of the durations in each whole window of `ENTROPY_WINDOW_NOTES` notes.

    Args:
        durations: of notes in order, in ticks, shape ``(N,)`` with N of at least 1.

    Returns:
        One value a window, ``max(1, N // 64)`` of them: with fewer notes than a window, that of
        all notes; notes after the last whole window are left out.
    """
    found = []
    for start in range(0, max(1, len(durations) - ENTROPY_WINDOW_NOTES + 1), ENTROPY_WINDOW_NOTES):
        counts = np.bincount(durations[start : start + ENTROPY_WINDOW_NOTES])
        shares = counts[counts > 0] / counts.sum()
        found.append(-float((shares * np.log2(shares)).sum()))
    return found


def duration_entropy(durations: Sequence[int] | NDArray[np.int64]) -> float:
    """Mean of `window_entropies` of durations ``(N,)``, in bits."""
    found = window_entropies(durations)
    return sum(found) / len(found)


def has_repeated_phrase(tune: CorpusTune, n_bars: int = 2) -> bool:
    """Whether some ``n_bars`` bars of at least four events occur twice, barline to barline.

    Args:
        tune: a corpus tune.
        n_bars: length of the phrase in bars; phrases may overlap.
    """
    bar, length = tune.bar_ticks, n_bars * tune.bar_ticks
    phrases: dict[int, list[tuple[int | None, int, int]]] = {start: [] for start in tune.barlines}
    for event in tune.events:
        first = event.onset - event.onset % bar - length + bar
        for start in range(first, event.onset + 1, bar):
            if start in phrases:
                phrases[start].append((event.pitch, event.onset - start, event.duration))
    long_enough = [tuple(events) for events in phrases.values() if len(events) >= 4]
    return len(set(long_enough)) < len(long_enough)
