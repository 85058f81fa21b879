"""Newly composed tunes beside real ones: distances, phrases that return, cadences, copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mst_core.composing.composer import Composer
from mst_core.corpora.tunes import CorpusTune, TuneEvent
from mst_core.evaluation.distributions import FeatureCounts, FeatureDistances, distances, halves
from mst_core.evaluation.overlap import StepRunIndex
from mst_core.evaluation.phrases import ends_on_tonic, passages, repeats, returns
from mst_core.jobs import Compose
from mst_core.music import TICKS_PER_QUARTER, Melody
from mst_core.statistics.fingerprints import Fingerprints

N_BARS = 16
FURTHEST = 1.5
"""Distances stay below so many times those between two halves of the real tunes."""
NEAREST_REPEATS = 0.15
"""Shares of tunes with repeated phrases stay within this of the real tunes'."""


@dataclass(frozen=True, slots=True)
class PhraseRepetition:
    """Shares of tunes, 0 to 1."""

    two_bars: float
    """With a phrase of two bars that returns note for note."""
    four_bars: float
    returns: float
    """With a phrase that begins as an earlier one began."""
    ends_on_tonic: float
    """Whose last note is the tonic, in the last bar."""

    @classmethod
    def of(cls, tunes: Sequence[CorpusTune]) -> PhraseRepetition:
        """Count."""
        return cls(
            float(np.mean([repeats(tune, 2) for tune in tunes])),
            float(np.mean([repeats(tune, 4) for tune in tunes])),
            float(np.mean([returns(tune) for tune in tunes])),
            float(np.mean([ends_on_tonic(tune) for tune in tunes])),
        )


@dataclass(frozen=True, slots=True)
class NewTuneStatistics:
    """Figures of the new tunes of one style beside real tunes that were not trained on."""

    style: str
    tunes: int
    real_tunes: int
    distance: FeatureDistances
    """New against real."""
    between_halves: FeatureDistances
    """Half of the real against the other half, the mean of 20 random splits."""
    ours: PhraseRepetition
    real: PhraseRepetition
    duplicates: int
    """Tunes that are another one again, note for note."""
    longest_shared_runs: tuple[int, int, int]
    """Steps of the longest run that a new tune shares with any training tune: the median, the 95th
    percentile and the most."""
    real_shared_runs: int
    """The 95th percentile of the same for the real tunes, which are unrelated to the training."""
    copying: float
    """Share of new tunes whose longest run is longer than that."""

    @property
    def ratios(self) -> FeatureDistances:
        """How many times the distance between halves the new tunes are away."""
        return self.distance.over(self.between_halves)

    @property
    def met(self) -> bool:
        """Whether the tunes are as near to real ones as issue and card promise."""
        return (
            self.ratios.largest <= FURTHEST
            and abs(self.ours.two_bars - self.real.two_bars) <= NEAREST_REPEATS
            and abs(self.ours.four_bars - self.real.four_bars) <= NEAREST_REPEATS
            and self.duplicates == 0
            and self.longest_shared_runs[2] <= self.real_shared_runs
        )

    def describe(self) -> str:
        """A few lines for people."""
        far, ours, real = self.ratios, self.ours, self.real
        median, high, most = self.longest_shared_runs
        return "\n".join(
            (
                f"{self.style}: {self.tunes} new tunes beside {self.real_tunes} real ones",
                "  distance in times that of two halves of the real: "
                f"intervals {far.interval:.2f}, pairs of intervals {far.bigram:.2f}, "
                f"note values {far.duration:.2f}, onsets in the bar {far.onset:.2f}",
                "  tunes that repeat two bars "
                f"{ours.two_bars:.0%} (real {real.two_bars:.0%}), "
                f"four bars {ours.four_bars:.0%} ({real.four_bars:.0%}); "
                f"a phrase begins like an earlier one in {ours.returns:.0%} ({real.returns:.0%}); "
                f"home on the tonic {ours.ends_on_tonic:.0%} ({real.ends_on_tonic:.0%})",
                f"  longest copied run: median {median}, 95th percentile {high}, most {most} steps "
                f"(real 95th percentile {self.real_shared_runs}); duplicates {self.duplicates}",
            )
        )


def measure_new_tunes(
    composer: Composer,
    style: str,
    real_tunes: Sequence[CorpusTune],
    training_tunes: Sequence[CorpusTune] = (),
    *,
    tunes: int = 200,
    seeds: Sequence[int] | None = None,
    bars: int = N_BARS,
    echoes: Fingerprints | None = None,
    tell: Callable[[float], None] = lambda share: None,
) -> NewTuneStatistics:
    """Compose ``tunes`` tunes of so many bars in a style and measure them beside real ones.

    ``real_tunes`` must be unknown to the style: those of ``bars`` bars are taken or, where there
    are too few, windows of longer ones. ``training_tunes`` are what could have been copied; where
    they are not at hand, the style's ``echoes`` stand for them, whose runs may be a step too long.
    ``seeds``, one a tune, are by default 0, 1, 2 and so on.
    """
    chosen = range(tunes) if seeds is None else seeds
    new = []
    for number, seed in enumerate(chosen):
        request = Compose(pitch=style, rhythm=style, seed=seed, bars=bars)
        new.append(corpus_tune(composer.compose(request).melody, str(seed)))
        tell((number + 1) / len(chosen))
    return describe_new_tunes(style, new, real_tunes, training_tunes, bars=bars, echoes=echoes)


def describe_new_tunes(
    style: str,
    new: Sequence[CorpusTune],
    real_tunes: Sequence[CorpusTune],
    training_tunes: Sequence[CorpusTune] = (),
    *,
    bars: int = N_BARS,
    echoes: Fingerprints | None = None,
) -> NewTuneStatistics:
    """Measure tunes that are written already."""
    found = passages(real_tunes, bars, len(new))
    drawn = np.random.default_rng(0).permutation(len(found))[: len(new)]
    real = [found[place] for place in sorted(drawn)]
    ours, theirs = (
        [FeatureCounts.of(tune) for tune in new],
        [FeatureCounts.of(tune) for tune in real],
    )
    longest = _search(training_tunes, echoes)
    copies = sorted(map(longest, new))
    usual = _percentile([longest(tune) for tune in real], 0.95)
    return NewTuneStatistics(
        style=style,
        tunes=len(new),
        real_tunes=len(real),
        distance=distances(ours, theirs),
        between_halves=halves(theirs),
        ours=PhraseRepetition.of(new),
        real=PhraseRepetition.of(real),
        duplicates=len(new) - len({tune.events for tune in new}),
        longest_shared_runs=(_percentile(copies, 0.5), _percentile(copies, 0.95), copies[-1]),
        real_shared_runs=usual,
        copying=sum(copy > usual for copy in copies) / len(copies),
    )


def _search(
    training_tunes: Sequence[CorpusTune], echoes: Fingerprints | None
) -> Callable[[CorpusTune], int]:
    """What tells the longest run that a tune shares with the training."""
    if echoes is not None and not training_tunes:
        return lambda tune: echoes.longest_melody_run(tune).length
    return StepRunIndex(training_tunes).longest_run


def _percentile(values: Sequence[int], share: float) -> int:
    return sorted(values)[int(share * (len(values) - 1))] if values else 0


def corpus_tune(melody: Melody, name: str) -> CorpusTune:
    """A melody as a tune of a corpus: contiguous events, silence as rests, times in ticks."""
    events: list[TuneEvent] = []
    for note in melody.notes:
        onset, end = round(note.onset * TICKS_PER_QUARTER), round(note.end * TICKS_PER_QUARTER)
        now = events[-1].onset + events[-1].duration if events else min(onset, 0)
        if onset > now:
            events.append(TuneEvent(None, now, onset - now))
        events.append(TuneEvent(note.pitch, onset, end - onset))
    return CorpusTune(
        id=name,
        title=name,
        meter=melody.meter,
        key=melody.key,
        events=tuple(events),
        barlines=tuple(round(line * TICKS_PER_QUARTER) for line in melody.barlines[:-1]),
    )
