"""Statistics of newly composed tunes beside real ones: distances, repetition, shared runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import msgspec
import numpy as np

from mst_core.composing.composer import Composer
from mst_core.corpora.tunes import CorpusTune, TuneEvent
from mst_core.evaluation.comparison import (
    NEW_TUNES,
    ComparedMetric,
    compare,
    comparison_lines,
    estimate_means,
    means,
)
from mst_core.evaluation.distributions import (
    FeatureCounts,
    FeatureDistances,
    feature_distances,
    half_distances,
)
from mst_core.evaluation.naturalness import WHOLE_TUNE, melody_naturalness, rhythm_naturalness
from mst_core.evaluation.phrases import (
    ends_on_tonic,
    has_exact_repeat,
    has_varied_return,
    passages,
)
from mst_core.music import TICKS_PER_QUARTER, Melody
from mst_core.requests import Compose
from mst_core.statistics.fingerprints import Fingerprints
from mst_core.statistics.shared_runs import SharedRunIndex, melody_steps


class PhraseRepetition(msgspec.Struct, frozen=True, rename={"ends_on_tonic": "home"}):
    """Shares of tunes, 0 to 1."""

    two_bars: float
    """With two bars that occur twice, note for note."""
    four_bars: float
    """With four bars that occur twice, note for note."""
    returns: float
    """With a phrase that begins like an earlier one (`phrases.has_varied_return`)."""
    ends_on_tonic: float
    """Whose last note is the tonic, in the last bar."""

    @classmethod
    def of(cls, tunes: Sequence[CorpusTune]) -> PhraseRepetition:
        """Compute the shares over at least one tune."""
        return cls(
            float(np.mean([has_exact_repeat(tune, 2) for tune in tunes])),
            float(np.mean([has_exact_repeat(tune, 4) for tune in tunes])),
            float(np.mean([has_varied_return(tune) for tune in tunes])),
            float(np.mean([ends_on_tonic(tune) for tune in tunes])),
        )


class NewTuneStatistics(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={"longest_shared_runs": "longest_copies", "real_shared_run": "real_copies"},
):
    """New tunes of one style beside real tunes that the style was not trained on."""

    style: str
    tunes: int
    real_tunes: int
    distance: FeatureDistances
    """New tunes to real ones."""
    between_halves: FeatureDistances
    """Half of the real tunes to the other half, the mean of 20 random splits."""
    ours: PhraseRepetition
    real: PhraseRepetition
    duplicates: int
    """Tunes that equal another new one, note for note."""
    longest_shared_runs: tuple[int, int, int]
    """Steps of the longest run that a new tune shares with a training tune: median, 95th
    percentile, maximum."""
    real_shared_run: int
    """95th percentile of the same for the real tunes, which are unrelated to the training tunes."""
    copying: float
    """Share of new tunes, 0 to 1, whose longest run exceeds `real_shared_run`."""
    naturalness: tuple[ComparedMetric, ...] = ()
    """New tunes beside real ones, with what is wanted."""

    @property
    def ratios(self) -> FeatureDistances:
        """Distances in multiples of the distance between halves of the real tunes."""
        return self.distance.relative_to(self.between_halves)

    def describe(self) -> str:
        """Return a report of a few lines."""
        far, ours, real = self.ratios, self.ours, self.real
        median, high, most = self.longest_shared_runs
        return "\n".join(
            (
                f"{self.style}: {self.tunes} new tunes beside {self.real_tunes} real ones",
                "  distance in multiples of that of two halves of the real tunes: "
                f"intervals {far.interval:.2f}, pairs of intervals {far.bigram:.2f}, "
                f"note values {far.duration:.2f}, onsets in the bar {far.onset:.2f}",
                "  tunes that repeat two bars "
                f"{ours.two_bars:.0%} (real {real.two_bars:.0%}), "
                f"four bars {ours.four_bars:.0%} ({real.four_bars:.0%}); "
                f"a phrase begins like an earlier one in {ours.returns:.0%} ({real.returns:.0%}); "
                f"last note is the tonic {ours.ends_on_tonic:.0%} ({real.ends_on_tonic:.0%})",
                f"  longest shared run: median {median}, 95th percentile {high}, maximum {most} "
                f"steps (real 95th percentile {self.real_shared_run}); "
                f"duplicates {self.duplicates}",
                *comparison_lines(self.naturalness, self.style),
            )
        )


def measure_new_tunes(
    composer: Composer,
    style: str,
    real_tunes: Sequence[CorpusTune],
    training_tunes: Sequence[CorpusTune] = (),
    *,
    seeds: Sequence[int],
    bars: int = 16,
    fingerprints: Fingerprints | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> NewTuneStatistics:
    """Compose one tune for each seed and compute its statistics; see `compare_new_tunes`.

    Args:
        composer: with the style loaded.
        style: name of the style.
        real_tunes: tunes that the style was not trained on.
        training_tunes: tunes that could have been copied.
        seeds: one a tune.
        bars: of each new tune.
        fingerprints: of the training tunes, used where the tunes are not available.
        on_progress: called with the share of tunes composed, 0 to 1.
    """
    new = []
    for number, seed in enumerate(seeds):
        request = Compose(pitch=style, rhythm=style, seed=seed, bars=bars)
        new.append(corpus_tune(composer.compose(request).melody, str(seed)))
        on_progress((number + 1) / len(seeds))
    return compare_new_tunes(
        style, new, real_tunes, training_tunes, bars=bars, fingerprints=fingerprints
    )


def compare_new_tunes(
    style: str,
    new: Sequence[CorpusTune],
    real_tunes: Sequence[CorpusTune],
    training_tunes: Sequence[CorpusTune] = (),
    *,
    bars: int = 16,
    fingerprints: Fingerprints | None = None,
) -> NewTuneStatistics:
    """Compute the statistics of new tunes beside as many real ones.

    Args:
        style: name of the style.
        new: the new tunes.
        real_tunes: tunes that the style was not trained on; those of ``bars`` bars are used or,
            where there are too few, windows of longer ones.
        training_tunes: tunes that could have been copied.
        bars: of each new tune.
        fingerprints: of the training tunes, used where ``training_tunes`` is empty; its runs may
            be a step too long.
    """
    found = passages(real_tunes, bars, len(new))
    drawn = np.random.default_rng(0).permutation(len(found))[: len(new)]
    real = [found[index] for index in sorted(drawn)]
    ours = [FeatureCounts.of(tune) for tune in new]
    theirs = [FeatureCounts.of(tune) for tune in real]
    longest_run = _run_search(training_tunes, fingerprints)
    runs = sorted(map(longest_run, new))
    p95 = _percentile([longest_run(tune) for tune in real], 0.95)
    return NewTuneStatistics(
        style=style,
        tunes=len(new),
        real_tunes=len(real),
        distance=feature_distances(ours, theirs),
        between_halves=half_distances(theirs),
        ours=PhraseRepetition.of(new),
        real=PhraseRepetition.of(real),
        duplicates=len(new) - len({tune.events for tune in new}),
        longest_shared_runs=(_percentile(runs, 0.5), _percentile(runs, 0.95), runs[-1]),
        real_shared_run=p95,
        copying=sum(run > p95 for run in runs) / len(runs),
        naturalness=_compare(new, found, real_tunes),
    )


def _compare(
    new: Sequence[CorpusTune], real: Sequence[CorpusTune], whole: Sequence[CorpusTune]
) -> tuple[ComparedMetric, ...]:
    """Compare new tunes with real passages, and in their beginnings and ends with whole tunes."""

    def rows(tunes: Sequence[CorpusTune]) -> list[dict[str, float | None]]:
        return [
            rhythm_naturalness(tune) | melody_naturalness(tune)
            for tune in tunes
            if any(event.pitch is not None for event in tune.events)
        ]

    of_passages, of_tunes = means(rows(real)), means(rows(whole))
    theirs = of_passages | {name: of_tunes.get(name) for name in WHOLE_TUNE}
    return compare(NEW_TUNES, estimate_means(rows(new)), theirs)


def _run_search(
    training_tunes: Sequence[CorpusTune], fingerprints: Fingerprints | None
) -> Callable[[CorpusTune], int]:
    """Return the function that computes the longest run shared with the training tunes."""
    if fingerprints is not None and not training_tunes:
        return lambda tune: fingerprints.longest_melody_run(tune).length
    index = SharedRunIndex([melody_steps(tune) for tune in training_tunes])
    return lambda tune: index.longest(melody_steps(tune))


def _percentile(values: Sequence[int], share: float) -> int:
    return sorted(values)[int(share * (len(values) - 1))] if values else 0


def corpus_tune(melody: Melody, name: str) -> CorpusTune:
    """Return a melody as a corpus tune: contiguous events in ticks, silence as rests.

    Args:
        melody: of any tempo; repeats are not written out, and of two endings the second is kept,
            as the corpora have it.
        name: id and title.
    """
    lines = melody.barlines
    replaced = [
        (lines[repeat.first_ending], lines[repeat.end])
        for repeat in melody.repeats
        if repeat.first_ending is not None and repeat.second_ending is not None
    ]

    def kept_ticks(time: Fraction) -> int:
        removed = sum((end - start for start, end in replaced if end <= time), Fraction(0))
        return round((time - removed) * TICKS_PER_QUARTER)

    def is_replaced(time: Fraction) -> bool:
        return any(start <= time < end for start, end in replaced)

    events: list[TuneEvent] = []
    for note in melody.notes:
        if is_replaced(note.onset):
            continue
        onset = kept_ticks(note.onset)
        duration = round(note.end * TICKS_PER_QUARTER) - round(note.onset * TICKS_PER_QUARTER)
        now = events[-1].onset + events[-1].duration if events else min(onset, 0)
        if onset > now:
            events.append(TuneEvent(None, now, onset - now))
        events.append(TuneEvent(note.pitch, onset, duration))
    return CorpusTune(
        id=name,
        title=name,
        meter=melody.meter,
        key=melody.key,
        events=tuple(events),
        barlines=tuple(kept_ticks(line) for line in lines[:-1] if not is_replaced(line)),
    )
