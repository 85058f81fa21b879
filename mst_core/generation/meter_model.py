"""What a style does in one meter: its statistics, rhythm lattice, final onset and pickup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.generation.config import GenerationConfig
from mst_core.generation.form import FormSpan
from mst_core.generation.rhythm_lattice import Lattice, NoteCountSet, count_range
from mst_core.generation.sampling import sample_weighted
from mst_core.music import TICKS_PER_QUARTER, Meter
from mst_core.networks.style import Style
from mst_core.statistics.style_statistics import MeterStatistics

EIGHTH_TICKS = TICKS_PER_QUARTER // 2


@dataclass(frozen=True, slots=True)
class MeterModel:
    """The rhythms of a style in one meter, and where one tune's phrases begin and end."""

    meter: Meter
    statistics: MeterStatistics
    lattice: Lattice
    final_onset: int
    """Onset of the last note of a part, in ticks from its barline."""
    phrase_pickup: int = 0
    """Every phrase begins this many ticks before its barline."""
    config: GenerationConfig = GenerationConfig()

    @classmethod
    def candidates(
        cls,
        style: Style,
        meter: str,
        rng: np.random.Generator,
        config: GenerationConfig = GenerationConfig(),
    ) -> list[MeterModel]:
        """Build the models of a style in one of its meters, one for each usable final onset.

        Args:
            style: a loaded style.
            meter: one of its meters, such as ``6/8``.
            rng: the source of the order.
            config: `event_coverage` bounds the lattice.

        Returns:
            At least one model, in an order drawn by how often tunes of the style end there.
        """
        parsed = Meter.parse(meter)
        bar_ticks = int(parsed.bar_length * TICKS_PER_QUARTER)
        statistics = style.statistics.meters[meter]
        lattice = Lattice.from_statistics(statistics, bar_ticks, coverage=config.event_coverage)
        usable = {
            str(onset): count
            for onset, count in statistics.final_onsets.items()
            # On an eighth and between an eighth and three quarters long: a last note that begins
            # on the barline, as .46 of the solos have it, would fill the bar, but theirs is short.
            if onset in lattice.positions
            and onset % EIGHTH_TICKS == 0
            and EIGHTH_TICKS <= bar_ticks - onset <= 3 * TICKS_PER_QUARTER
        }
        onsets: list[int] = []
        while usable:
            drawn = sample_weighted(usable, rng)
            onsets.append(int(drawn))
            del usable[drawn]
        return [cls(parsed, statistics, lattice, onset, config=config) for onset in onsets or [0]]

    def with_pickup(self, spans: Iterable[FormSpan], rng: np.random.Generator) -> MeterModel:
        """Return the same model with a pickup drawn from the style's, if the spans allow it.

        Args:
            spans: the spans of the form plan; each must keep a possible number of notes.
            rng: one number is drawn from it, none when tunes of the style have no pickups.

        Returns:
            A model with that phrase pickup, or this one.
        """
        if not self.statistics.pickups:
            return self
        drawn = sample_weighted({str(t): n for t, n in self.statistics.pickups.items()}, rng)
        bar_ticks = self.lattice.bar_ticks
        model = replace(self, phrase_pickup=int(drawn))
        # At most half a bar, and the last note keeps an eighth before the next phrase begins.
        fits = (
            model.phrase_pickup <= bar_ticks // 2
            and model.final_onset + model.phrase_pickup <= bar_ticks - EIGHTH_TICKS
        )
        return model if fits and all(map(model.note_counts, spans)) else self

    def note_counts(self, span: FormSpan) -> NoteCountSet:
        """Return the numbers of notes that a span can have.

        They fill its ticks exactly, and are as dense as tunes of the style (`min_density`,
        `max_density`). The bar of a cadence has no lower bound: it may be one long note.
        """
        bar_ticks = self.lattice.bar_ticks
        full_bars = span.bar_count - span.cadence
        length = full_bars * bar_ticks + span.cadence * (self.final_onset + self.phrase_pickup)
        reachable = self.lattice.reachable_counts(length, -self.phrase_pickup % bar_ticks)[0]
        low, _, high = self.statistics.notes_per_bar
        fewest = max(1, int(low * full_bars * self.config.min_density))
        most = int(high * span.bar_count * self.config.max_density) + 1
        return (reachable << span.cadence) & count_range(fewest, most)


def duration_prior(
    counts: Iterable[tuple[int, int, int]], vocabulary: DurationVocabulary
) -> Mapping[int, NDArray[np.float64]]:
    """Estimate how one tune fills each position of the bar.

    Args:
        counts: (position in the bar in ticks, duration in ticks, number of notes).
        vocabulary: the V durations of a style; a duration it lacks counts as the nearest one.

    Returns:
        Probabilities (V,) of the durations, by position; positions without notes are left out.
    """
    rows: dict[int, NDArray[np.float64]] = {}
    for position, duration, count in counts:
        row = rows.setdefault(position, np.zeros(len(vocabulary)))  # (V,)
        row[vocabulary.token(duration)] += count
    return {position: row / row.sum() for position, row in rows.items() if row.sum()}
