"""A given tune gets another melody language: its rhythm stays to the tick, and so does its form.

The pitch network of the target writes drafts over the tune's rhythm. Classes of bars (see
`structure`) are written once; where the class came transposed it comes transposed again. Range and
tonic stay, long notes at the end of a phrase rest on the key's triad, and the tune ends on the note
it ended on. Which draft a class takes, and the ladder of partial changes, work as for rhythm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import OCTAVE, REST_TOKEN
from mst_core.generation.candidates import StepwiseDecoder
from mst_core.music import Melody
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.style import Style
from mst_core.statistics.style_statistics import StyleStatistics, count_statistics
from mst_core.transfer.change_path import (
    Alternatives,
    ChangePath,
    Choice,
    IntArray,
    build_path,
    select_drafts,
)
from mst_core.transfer.pitch_similarity import (
    PitchSimilarity,
    folded_intervals,
    next_interval_probabilities,
)
from mst_core.transfer.structure import BarGroup, split_by_meter, split_duplicates
from mst_core.transfer.target import to_corpus_tune

DRAFTS = 12
FEWEST_DRAFTS = 3
MOST_EVENTS = 8000
"""Of all drafts together."""
HEAT = 0.95
NUCLEUS = 0.97
OWN = 0.8
"""Share of a target tune's own habits against its style's, in what a result is held against."""
TASTE = 0.4
"""Share of a target tune's own steps against the network's."""
RUN = 4
"""Notes that change together, at the most."""


@dataclass(frozen=True, slots=True)
class PitchTarget:
    """Whose melody language is wanted: a style's, or one tune's through the nearest style."""

    style: Style
    contrast_statistics: Mapping[str, StyleStatistics]
    """Habits of the other styles, by name."""
    statistics_of_tune: StyleStatistics | None = None

    @property
    def weighted_statistics(self) -> list[tuple[float, StyleStatistics]]:
        """Habits to be held against, by weight."""
        if self.statistics_of_tune is None:
            return [(1.0, self.style.statistics)]
        return [(OWN, self.statistics_of_tune), (1 - OWN, self.style.statistics)]


def tongue_of(name: str, styles: Mapping[str, Style]) -> PitchTarget:
    """A whole style's melody language."""
    return PitchTarget(styles[name], _other_statistics(name, styles))


def tongue_like(melody: Melody, styles: Mapping[str, Style]) -> PitchTarget:
    """One tune's melody language, through the style whose steps are nearest to its own."""
    pitches = np.array(melody.pitches, dtype=np.int64)
    intervals = folded_intervals(pitches)

    def fit(name: str) -> float:
        shares = next_interval_probabilities(styles[name].statistics)
        return float(np.log(shares[intervals[:-1], intervals[1:]]).sum())

    name = max(styles, key=fit)
    style = styles[name]
    one = count_statistics([to_corpus_tune(melody)], style.model.vocabulary, min_count=1)
    return PitchTarget(style, _other_statistics(name, styles), one)


def _other_statistics(name: str, styles: Mapping[str, Style]) -> dict[str, StyleStatistics]:
    return {other: style.statistics for other, style in styles.items() if other != name}


@dataclass(frozen=True, slots=True)
class Repitched:
    """A tune with other pitches in its own rhythm."""

    melody: Melody
    changed: float
    """Share of the notes whose pitch is another."""
    similarity: float


@dataclass(frozen=True, slots=True)
class PitchPath:
    """All versions of a tune on its way to another melody language."""

    source: Melody
    path: ChangePath

    def at(self, strength: float) -> Repitched:
        """The version of a strength, from 0 to 1."""
        rung = self.path.at(strength)
        notes = tuple(
            replace(note, pitch=int(pitch))
            for note, pitch in zip(self.source.notes, rung.values, strict=True)
        )
        return Repitched(replace(self.source, notes=notes), rung.changed, rung.similarity)


def build_pitch_path(
    melody: Melody,
    tongue: PitchTarget,
    *,
    seed: int,
    keep: frozenset[int] = frozenset(),
    tell: Callable[[float], None] = lambda share: None,
) -> PitchPath:
    """Find the versions of a tune on its way to another melody language.

    ``keep`` holds bars, counted from 0, that stay as they are.
    """
    own = np.array(melody.pitches, dtype=np.int64)
    score = _PitchConstraints(melody, keep)
    likeness = PitchSimilarity(
        melody.key,
        tongue.weighted_statistics,
        {} if tongue.statistics_of_tune else tongue.contrast_statistics,
        own,
    )
    drafts = _write_drafts(score, tongue, seed, tell)
    choices = [Choice(notes, tuple(draft[notes] for draft in drafts)) for notes in score.classes]
    picks = select_drafts(own, choices, likeness)
    stretches = [
        Alternatives(part, (own[part], drafts[pick][part]))
        for choice, pick in zip(choices, picks, strict=True)
        for part in _short_pieces(choice.notes)
        if (own[part] != drafts[pick][part]).any()
    ]
    return PitchPath(melody, build_path(own, stretches, likeness))


def _short_pieces(notes: IntArray) -> list[IntArray]:
    """A class cut into short runs of notes, (P, M) each."""
    count = -(-notes.shape[1] // RUN)
    return [np.ascontiguousarray(part) for part in np.array_split(notes, count, axis=1)]


class _PitchConstraints:
    """The tune as the writers see it: its events, and for each note what holds for it."""

    def __init__(self, melody: Melody, keep: frozenset[int]) -> None:
        self.melody = melody
        self.tune: CorpusTune = to_corpus_tune(melody)
        pitches = melody.pitches
        self.lowest, self.highest = min(pitches), max(pitches)
        self.copies: dict[int, tuple[int, int]] = {}
        """For a note that returns, the note it follows and how many semitones higher it is."""
        self.fixed: set[int] = {len(pitches) - 1}
        self.cadential: set[int] = set()
        self.transpositions: dict[int, list[int]] = {}
        """For a note that is written, by how much its copies lie higher."""
        classes: dict[object, list[BarGroup]] = {}
        passages = split_by_meter(melody)
        keep |= split_duplicates(melody, passages)
        for unit in (unit for passage in passages for unit in passage.groups):
            inside = range(unit.index, unit.index + len(unit.notes))
            if any(bar in keep for bar in range(unit.first, unit.first + unit.bars)):
                self.fixed |= set(inside)
            elif unit.notes:
                classes.setdefault(unit.class_key, []).append(unit)
                if unit.ends_with_long_note:
                    self.cadential.add(inside[-1])
        self.classes: list[IntArray] = []
        for units in classes.values():
            first, width = units[0], len(units[0].notes)
            starts = np.array([unit.index for unit in units], dtype=np.int64)
            self.classes.append(starts[:, None] + np.arange(width))
            ends = any(unit.index + width == len(pitches) for unit in units)
            for place in range(width):
                note = first.index + place
                self.transpositions[note] = [u.notes[0].pitch - first.notes[0].pitch for u in units]
                if ends and place == width - 1:
                    self.fixed.add(note)
                for unit, raised in zip(units[1:], self.transpositions[note][1:], strict=True):
                    self.copies[unit.index + place] = note, raised


def _write_drafts(
    constraints: _PitchConstraints,
    target: PitchTarget,
    seed: int,
    on_progress: Callable[[float], None],
) -> list[IntArray]:
    """Drafts of all pitches, (N,) each."""
    tune, network = constraints.tune, target.style.model.pitch_net
    number = max(FEWEST_DRAFTS, min(DRAFTS, MOST_EVENTS // (len(tune.events) + 1)))
    heading = TuneHeader.from_tune(tune)
    lines = [
        MelodyState(heading, target.style.model.vocabulary, start=tune.events[0].onset)
        for _ in range(number)
    ]
    rngs = [np.random.default_rng((seed, 7, place)) for place in range(number)]
    written: list[list[int]] = [[] for _ in range(number)]
    taste = (
        None
        if target.statistics_of_tune is None
        else next_interval_probabilities(target.statistics_of_tune)
    )
    stepper = StepwiseDecoder(network)
    for count, event in enumerate(tune.events):
        logits = stepper.step([line.pitch_context() for line in lines])
        for place, line in enumerate(lines):
            pitch = event.pitch
            if pitch is not None:
                pitch = _draw_pitch(constraints, written[place], logits[place], rngs[place], taste)
                written[place].append(pitch)
            line.append(pitch, event.duration)
        on_progress((count + 1) / len(tune.events))
    return [np.array(pitches, dtype=np.int64) for pitches in written]


def _draw_pitch(
    constraints: _PitchConstraints,
    written: Sequence[int],
    logits: np.ndarray[tuple[int], np.dtype[np.float64]],
    rng: np.random.Generator,
    prior: np.ndarray[tuple[int, int], np.dtype[np.float64]] | None,
) -> int:
    """Draw the next pitch."""
    note = len(written)
    own = constraints.melody.notes[note].pitch
    if note in constraints.fixed:
        return own
    if note in constraints.copies:
        model, raised = constraints.copies[note]
        return written[model] + raised
    last = written[-1] if written else own
    pitches = last + np.arange(-OCTAVE, OCTAVE + 1)
    raised_by = constraints.transpositions[note]
    open_ = (pitches + min(raised_by) >= constraints.lowest) & (
        pitches + max(raised_by) <= constraints.highest
    )
    if note in constraints.cadential or not written:
        scale = constraints.melody.key.scale
        stable = open_ & np.isin(pitches % OCTAVE, [scale[0], scale[2], scale[4]])
        open_ = stable if stable.any() else open_
    if not open_.any():
        return own
    shares = np.exp((logits[:REST_TOKEN] - logits[:REST_TOKEN].max()) / HEAT)
    shares /= shares.sum()
    if prior is not None and note > 1:
        before = folded_intervals(np.array(written[-2:]))[0]
        shares = (1 - TASTE) * shares + TASTE * prior[before]
    shares = np.where(open_, shares, 0)
    order = np.argsort(-shares, kind="stable")
    rising = np.cumsum(shares[order])
    kept = int(np.searchsorted(rising, NUCLEUS * rising[-1])) + 1
    drawn = np.searchsorted(rising[:kept], rng.random() * rising[kept - 1], side="right")
    return int(pitches[order[min(int(drawn), kept - 1)]])
