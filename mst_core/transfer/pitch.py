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
from mst_core.corpora.vocabulary import OCTAVE, REST
from mst_core.generation.candidates import Stepper
from mst_core.music import Melody
from mst_core.networks.context import Heading, Line
from mst_core.networks.style import Style
from mst_core.statistics.style_statistics import Habits, observe
from mst_core.transfer.change_path import Choice, Ladder, Stretch, Values, choose, climb
from mst_core.transfer.pitch_similarity import MelodyLikeness, follow_table, intervals_of
from mst_core.transfer.structure import Unit, find_passages, torn_bars
from mst_core.transfer.target import as_corpus_tune

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
class Tongue:
    """Whose melody language is wanted: a style's, or one tune's through the nearest style."""

    style: Style
    others: Mapping[str, Habits]
    """Habits of the other styles, by name."""
    one: Habits | None = None

    @property
    def parts(self) -> list[tuple[float, Habits]]:
        """Habits to be held against, by weight."""
        if self.one is None:
            return [(1.0, self.style.habits)]
        return [(OWN, self.one), (1 - OWN, self.style.habits)]


def tongue_of(name: str, styles: Mapping[str, Style]) -> Tongue:
    """A whole style's melody language."""
    return Tongue(styles[name], _habits_beside(name, styles))


def tongue_like(melody: Melody, styles: Mapping[str, Style]) -> Tongue:
    """One tune's melody language, through the style whose steps are nearest to its own."""
    pitches = np.array(melody.pitches, dtype=np.int64)
    intervals = intervals_of(pitches)

    def fit(name: str) -> float:
        shares = follow_table(styles[name].habits)
        return float(np.log(shares[intervals[:-1], intervals[1:]]).sum())

    name = max(styles, key=fit)
    style = styles[name]
    one = observe([as_corpus_tune(melody)], style.pair.durations, fewest=1)
    return Tongue(style, _habits_beside(name, styles), one)


def _habits_beside(name: str, styles: Mapping[str, Style]) -> dict[str, Habits]:
    return {other: style.habits for other, style in styles.items() if other != name}


@dataclass(frozen=True, slots=True)
class Repitched:
    """A tune with other pitches in its own rhythm."""

    melody: Melody
    changed: float
    """Share of the notes whose pitch is another."""
    closeness: float


@dataclass(frozen=True, slots=True)
class PitchLadder:
    """All versions of a tune on its way to another melody language."""

    source: Melody
    ladder: Ladder

    def at(self, strength: float) -> Repitched:
        """The version of a strength, from 0 to 1."""
        rung = self.ladder.at(strength)
        notes = tuple(
            replace(note, pitch=int(pitch))
            for note, pitch in zip(self.source.notes, rung.values, strict=True)
        )
        return Repitched(replace(self.source, notes=notes), rung.changed, rung.closeness)


def build_pitch_ladder(
    melody: Melody,
    tongue: Tongue,
    *,
    seed: int,
    keep: frozenset[int] = frozenset(),
    tell: Callable[[float], None] = lambda share: None,
) -> PitchLadder:
    """Find the versions of a tune on its way to another melody language.

    ``keep`` holds bars, counted from 0, that stay as they are.
    """
    own = np.array(melody.pitches, dtype=np.int64)
    score = _Score(melody, keep)
    likeness = MelodyLikeness(melody.key, tongue.parts, {} if tongue.one else tongue.others, own)
    drafts = _write(score, tongue, seed, tell)
    choices = [Choice(notes, tuple(draft[notes] for draft in drafts)) for notes in score.classes]
    picks = choose(own, choices, likeness)
    stretches = [
        Stretch(part, (own[part], drafts[pick][part]))
        for choice, pick in zip(choices, picks, strict=True)
        for part in _runs(choice.notes)
        if (own[part] != drafts[pick][part]).any()
    ]
    return PitchLadder(melody, climb(own, stretches, likeness))


def _runs(notes: Values) -> list[Values]:
    """A class cut into short runs of notes, (P, M) each."""
    count = -(-notes.shape[1] // RUN)
    return [np.ascontiguousarray(part) for part in np.array_split(notes, count, axis=1)]


class _Score:
    """The tune as the writers see it: its events, and for each note what holds for it."""

    def __init__(self, melody: Melody, keep: frozenset[int]) -> None:
        self.melody = melody
        self.tune: CorpusTune = as_corpus_tune(melody)
        pitches = melody.pitches
        self.lowest, self.highest = min(pitches), max(pitches)
        self.copies: dict[int, tuple[int, int]] = {}
        """For a note that returns, the note it follows and how many semitones higher it is."""
        self.fixed: set[int] = {len(pitches) - 1}
        self.resting: set[int] = set()
        self.raised: dict[int, list[int]] = {}
        """For a note that is written, by how much its copies lie higher."""
        classes: dict[object, list[Unit]] = {}
        passages = find_passages(melody)
        keep |= torn_bars(melody, passages)
        for unit in (unit for passage in passages for unit in passage.units):
            inside = range(unit.index, unit.index + len(unit.notes))
            if any(bar in keep for bar in range(unit.first, unit.first + unit.bars)):
                self.fixed |= set(inside)
            elif unit.notes:
                classes.setdefault(unit.shape, []).append(unit)
                if unit.rests_at_its_end:
                    self.resting.add(inside[-1])
        self.classes: list[Values] = []
        for units in classes.values():
            first, width = units[0], len(units[0].notes)
            starts = np.array([unit.index for unit in units], dtype=np.int64)
            self.classes.append(starts[:, None] + np.arange(width))
            ends = any(unit.index + width == len(pitches) for unit in units)
            for place in range(width):
                note = first.index + place
                self.raised[note] = [u.notes[0].pitch - first.notes[0].pitch for u in units]
                if ends and place == width - 1:
                    self.fixed.add(note)
                for unit, raised in zip(units[1:], self.raised[note][1:], strict=True):
                    self.copies[unit.index + place] = note, raised


def _write(score: _Score, tongue: Tongue, seed: int, tell: Callable[[float], None]) -> list[Values]:
    """Drafts of all pitches, (N,) each."""
    tune, network = score.tune, tongue.style.pair.pitch
    number = max(FEWEST_DRAFTS, min(DRAFTS, MOST_EVENTS // (len(tune.events) + 1)))
    heading = Heading.of(tune)
    lines = [
        Line(heading, tongue.style.pair.durations, start=tune.events[0].onset)
        for _ in range(number)
    ]
    rngs = [np.random.default_rng((seed, 7, place)) for place in range(number)]
    written: list[list[int]] = [[] for _ in range(number)]
    taste = None if tongue.one is None else follow_table(tongue.one)
    stepper = Stepper(network)
    for count, event in enumerate(tune.events):
        logits = stepper.step([line.pitch_context() for line in lines])
        for place, line in enumerate(lines):
            pitch = event.pitch
            if pitch is not None:
                pitch = _pitch(score, written[place], logits[place], rngs[place], taste)
                written[place].append(pitch)
            line.write(pitch, event.duration)
        tell((count + 1) / len(tune.events))
    return [np.array(pitches, dtype=np.int64) for pitches in written]


def _pitch(
    score: _Score,
    written: Sequence[int],
    logits: np.ndarray[tuple[int], np.dtype[np.float64]],
    rng: np.random.Generator,
    taste: np.ndarray[tuple[int, int], np.dtype[np.float64]] | None,
) -> int:
    """Draw the next pitch."""
    note = len(written)
    own = score.melody.notes[note].pitch
    if note in score.fixed:
        return own
    if note in score.copies:
        model, raised = score.copies[note]
        return written[model] + raised
    last = written[-1] if written else own
    pitches = last + np.arange(-OCTAVE, OCTAVE + 1)
    raised_by = score.raised[note]
    open_ = (pitches + min(raised_by) >= score.lowest) & (pitches + max(raised_by) <= score.highest)
    if note in score.resting or not written:
        scale = score.melody.key.scale
        stable = open_ & np.isin(pitches % OCTAVE, [scale[0], scale[2], scale[4]])
        open_ = stable if stable.any() else open_
    if not open_.any():
        return own
    shares = np.exp((logits[:REST] - logits[:REST].max()) / HEAT)
    shares /= shares.sum()
    if taste is not None and note > 1:
        before = intervals_of(np.array(written[-2:]))[0]
        shares = (1 - TASTE) * shares + TASTE * taste[before]
    shares = np.where(open_, shares, 0)
    order = np.argsort(-shares, kind="stable")
    rising = np.cumsum(shares[order])
    kept = int(np.searchsorted(rising, NUCLEUS * rising[-1])) + 1
    drawn = np.searchsorted(rising[:kept], rng.random() * rising[kept - 1], side="right")
    return int(pitches[order[min(int(drawn), kept - 1)]])
