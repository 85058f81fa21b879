"""What a style does in one meter: its statistics, rhythm lattice, final onset and pickup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.generation.config import GenerationConfig
from mst_core.generation.form import FormSpan
from mst_core.generation.rhythm_lattice import (
    NO_DURATIONS,
    Lattice,
    NoteCountSet,
    count_range,
)
from mst_core.generation.sampling import sample_weighted
from mst_core.music import TICKS_PER_QUARTER, Meter
from mst_core.statistics.style_statistics import MeterStatistics

if TYPE_CHECKING:
    from mst_core.networks.style import Style

EIGHTH_TICKS = TICKS_PER_QUARTER // 2


@dataclass(frozen=True, slots=True)
class Breath:
    """How a phrase of a solo ends: with a note, and a rest up to the next phrase. All in ticks."""

    onset: int
    """Of the note, from the last barline of the phrase."""
    duration: int
    """Of the note."""
    lead: int = 0
    """From the first barline of the next phrase to its first note."""


@dataclass(frozen=True, slots=True)
class MeterModel:
    """The rhythms of a style in one meter, and where one tune's phrases begin and end."""

    meter: Meter
    statistics: MeterStatistics
    lattice: Lattice
    final_onset: int
    """Onset of the last note of a part, in ticks from its barline."""
    min_final_ticks: int = EIGHTH_TICKS
    """Duration of the last note of a part, at least."""
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
        *,
        min_final_ticks: int = EIGHTH_TICKS,
    ) -> list[MeterModel]:
        """Build the models of a style in one of its meters, one for each usable final onset.

        Args:
            style: a loaded style.
            meter: one of its meters, such as ``6/8``.
            rng: the source of the order.
            config: `event_coverage` bounds the lattice.
            min_final_ticks: duration of the last note of a part, at least; from a beat on, it may
                fill a bar.

        Returns:
            At least one model, in an order drawn by how often tunes of the style end there.
        """
        parsed = Meter.parse(meter)
        bar_ticks = int(parsed.bar_length * TICKS_PER_QUARTER)
        statistics = style.statistics.meters[meter]
        lattice = Lattice.from_statistics(statistics, bar_ticks, coverage=config.event_coverage)
        longest = bar_ticks if min_final_ticks > TICKS_PER_QUARTER else 3 * TICKS_PER_QUARTER
        usable = {
            str(onset): count
            for onset, count in statistics.final_onsets.items()
            # On an eighth and between an eighth and three quarters long: a last note that begins
            # on the barline, as .46 of the solos have it, would fill the bar, but theirs is short.
            if onset in lattice.positions
            and onset % EIGHTH_TICKS == 0
            and min_final_ticks <= bar_ticks - onset <= longest
        }
        onsets: list[int] = []
        while usable:
            drawn = sample_weighted(usable, rng)
            onsets.append(int(drawn))
            del usable[drawn]
        return [
            cls(parsed, statistics, lattice, onset, min_final_ticks, config=config)
            for onset in onsets or [0]
        ]

    def draw_pickup(self, rng: np.random.Generator) -> int:
        """Draw the ticks of a pickup, 0 for none, by how often tunes of the style have it."""
        if not self.statistics.pickups:
            return 0
        drawn = sample_weighted({str(t): n for t, n in self.statistics.pickups.items()}, rng)
        return int(drawn)

    def with_pickup(self, spans: Iterable[FormSpan], pickup: int) -> MeterModel:
        """Return the same model with a pickup, if the spans allow it.

        Args:
            spans: the spans of the form plan; each must keep a possible number of notes.
            pickup: ticks.

        Returns:
            A model with that phrase pickup, or this one.
        """
        bar_ticks = self.lattice.bar_ticks
        model = replace(self, phrase_pickup=pickup)
        # At most half a bar, and the last note is long enough before the next phrase begins.
        fits = (
            model.phrase_pickup <= bar_ticks // 2
            and model.final_onset + model.phrase_pickup <= bar_ticks - self.min_final_ticks
        )
        return model if fits and all(map(model.note_counts, spans)) else self

    def draw_breath(self, rng: np.random.Generator, *, last: bool = False) -> Breath | None:
        """Draw how a phrase ends with a rest, by how often notes of the style precede one.

        Args:
            rng: the source of the draws.
            last: whether no phrase follows.

        Returns:
            The breath; before another phrase, which begins in the first half of its bar or with
            its pickup, there is room for a rest of an eighth. None where the style has no rests.
        """
        ends: dict[str, float] = {}
        starts: dict[str, float] = {"0": 1.0}
        bar_ticks = self.lattice.bar_ticks
        for pair in self.statistics.duration_bigrams:
            end = pair.position + pair.duration
            allowed = self.lattice.positions.get(end % bar_ticks, NO_DURATIONS).notes
            if pair.next_is_rest and not pair.is_rest:
                on_grid = (
                    pair.position % EIGHTH_TICKS == 0 and pair.position in self.lattice.positions
                )
                room = 0 if last else EIGHTH_TICKS
                if on_grid and end <= bar_ticks - self.phrase_pickup - room:
                    ends[f"{pair.position} {pair.duration}"] = (
                        ends.get(f"{pair.position} {pair.duration}", 0.0) + pair.count
                    )
            elif pair.is_rest and allowed and end % bar_ticks % EIGHTH_TICKS == 0:
                start = end % bar_ticks
                if start <= bar_ticks // 2:
                    starts[str(start)] = starts.get(str(start), 0.0) + pair.count
        if not ends:
            return None
        onset, duration = map(int, sample_weighted(ends, rng).split())
        begins_late = not last and not self.phrase_pickup
        return Breath(onset, duration, int(sample_weighted(starts, rng)) if begins_late else 0)

    def note_counts(
        self, span: FormSpan, breath: Breath | None = None, lead: int = 0
    ) -> NoteCountSet:
        """Return the numbers of notes that a span can have.

        They fill its ticks exactly, and are as dense as tunes of the style (`min_density`,
        `max_density`). The bar of a cadence has no lower bound: it may be one long note.

        Args:
            span: of the form plan.
            breath: how it ends, unless it is filled to its end.
            lead: ticks at its beginning in which the breath before it lasts.
        """
        bar_ticks = self.lattice.bar_ticks
        has_last_note = span.cadence or breath is not None
        full_bars = span.bar_count - has_last_note
        last_onset = self.final_onset if breath is None else breath.onset
        length = full_bars * bar_ticks + has_last_note * (last_onset + self.phrase_pickup)
        if lead > length:
            return 0
        reachable = self.lattice.reachable_counts(length, -self.phrase_pickup % bar_ticks)[lead]
        low, _, high = self.statistics.notes_per_bar
        fewest = max(1, int(low * (full_bars - lead / bar_ticks) * self.config.min_density))
        most = int(high * span.bar_count * self.config.max_density) + 1
        return (reachable << has_last_note) & count_range(fewest, most)


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
