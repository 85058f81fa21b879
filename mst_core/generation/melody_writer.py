"""One candidate tune while it is written: which choices are open at each event.

A writer follows a plan span by span. In a new span it asks the networks and keeps only what can
still end well: rhythms of the lattice that fill the span exactly, pitches within the range, a
stable pitch at a cadence. In a copied span it repeats. Where the pitches are given (a tune gets
another rhythm) it takes them in order and may put rests between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import TuneEvent
from mst_core.corpora.vocabulary import N_PITCH_TOKENS, OCTAVE, REST_TOKEN, DurationVocabulary
from mst_core.errors import NoSuchTune
from mst_core.generation.form import FormPlan, FormSpan
from mst_core.generation.rhythm_lattice import NO_DURATIONS, UNSEEN_WEIGHT, Lattice, NoteCountSet
from mst_core.generation.sampling import Logits, log_softmax, sample_top_p, set_probability, softmax
from mst_core.music import Key
from mst_core.networks.context import MelodyState, TuneHeader, initial_pitch

TASTE, HINT = 0.5, 0.25
"""Share of a target tune's own rhythm against the network's, and of a new tune's model."""
LOOKAHEAD_WEIGHT = 0.35
"""How much a writer with given pitches thinks of the notes that must still go into the bar. At 0 it
dawdles and crams: a rest of four beats, then sextuplets, which a judge takes for very jazzy."""
LIKE, UNLIKE = 0.8, 0.4
"""Share of the earlier pitch in a varied phrase, and its most in one that goes on elsewhere: real
bars count as varied when .6 of the notes stay. Left alone, folk's network that has begun to repeat
goes on, and of 30 tunes 29 repeated two bars (real: two in three)."""


@dataclass(frozen=True, slots=True)
class WritingConstraints:
    """What all candidates of one tune share."""

    header: TuneHeader
    key: Key
    plan: FormPlan
    lattice: Lattice
    vocabulary: DurationVocabulary
    lowest_pitch: int
    highest_pitch: int
    note_counts: tuple[NoteCountSet, ...]
    """For each span the numbers of notes that it may hold."""
    final_onset: int
    """Place in the bar where the last note of a part begins, in ticks."""
    temperature: float = 0.95  # temperature: below 1 the likely becomes likelier
    top_p: float = 0.95
    """Share of probability that stays in play; the unlikely rest is never drawn."""
    given_pitches: tuple[tuple[int, ...], ...] | None = None
    """The given pitches of each span; None when pitches are free."""
    fixed_rhythms: tuple[tuple[TuneEvent, ...] | None, ...] = ()
    """For spans that stay as they are, their events; whatever pitch they name, the given count."""
    required_onsets: frozenset[int] = frozenset()
    """Ticks where a note begins, not a rest, if one can."""
    pickup: int = 0
    """Ticks before the first downbeat; a span with first bar -1 holds them."""
    phrase_pickup: int = 0
    """Ticks by which every span begins before its barline: a new tune's pickup, at each phrase."""
    duration_prior: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)
    """How one other tune fills each place of the bar: shares (V,), mixed into the network's."""

    def start(self, span: FormSpan) -> int:
        """Where a span begins, in ticks."""
        return max(span.first_bar * self.lattice.bar_ticks, -self.pickup) - self.phrase_pickup

    def end(self, span: FormSpan) -> int:
        """Where it ends."""
        return (span.first_bar + span.bar_count) * self.lattice.bar_ticks - self.phrase_pickup


class MelodyWriter:
    """Writes one line, event by event. Call the four methods of an event in order."""

    def __init__(self, constraints: WritingConstraints, rng: np.random.Generator) -> None:
        self.constraints = constraints
        self.state = MelodyState(
            constraints.header,
            constraints.vocabulary,
            start=-constraints.pickup - constraints.phrase_pickup,
        )
        self.negative_log_likelihood = 0.0
        """Nats of the pitches that the form forced, summed: how well copies and cadences join."""
        self._rng = rng
        self._span_index = -1
        self._fixed_events: list[TuneEvent] = []
        self._varied_events: dict[int, TuneEvent] = {}
        self._avoided_events: dict[int, TuneEvent] = {}
        self._notes_in_span = 0
        self._pitch: int | None = None
        self._context: list[int] = []
        self._next_span()

    @property
    def done(self) -> bool:
        """Whether the tune is whole."""
        return self._span_index >= len(self.constraints.plan.spans)

    @property
    def span(self) -> FormSpan:
        """The span that is being written."""
        return self.constraints.plan.spans[self._span_index]

    def _next_span(self) -> None:
        self._span_index += 1
        self._notes_in_span = 0
        if self.done:
            return
        self._start, self._end = self.constraints.start(self.span), self.constraints.end(self.span)
        # What the lattice has to fill: a cadence note comes after.
        closing = (
            self._end
            + self.constraints.phrase_pickup
            - self.constraints.lattice.bar_ticks
            + self.constraints.final_onset
        )
        self._length = (closing if self.span.cadence else self._end) - self._start
        rhythm = (
            self.constraints.fixed_rhythms[self._span_index]
            if self.constraints.fixed_rhythms
            else None
        )
        if rhythm is not None:
            self._fixed_events = list(rhythm[::-1])
        elif self.span.copies is not None:
            self._fixed_events = self._events_from(self.span.copies)[::-1]
        elif self.span.varies is not None:
            self._varied_events = {e.onset: e for e in self._events_from(self.span.varies)}
        elif self.span.avoids is not None:
            self._avoided_events = {e.onset: e for e in self._events_from(self.span.avoids)}

    def _events_from(self, source: int) -> list[TuneEvent]:
        """The events of as many bars from an earlier one on, moved to here."""
        moved = (self.span.first_bar - source) * self.constraints.lattice.bar_ticks
        return [
            TuneEvent(event.pitch, event.onset + moved, event.duration)
            for event in self.state.events
            if self._start <= event.onset + moved < self._end
        ]

    def _at_cadence(self) -> bool:
        return self.span.cadence and self.state.next_onset - self._start == self._length

    def _fits(self, ways: NoteCountSet, notes: int) -> bool:
        """Whether the span can end well after so many notes, given the ways on from a tick."""
        total = self.constraints.note_counts[self._span_index]
        return bool((ways << (notes + self.span.cadence)) & total)

    def _open_durations(self, rests: bool) -> list[int]:
        """The note or rest values, in ticks, that can begin now."""
        now = self.state.next_onset - self._start
        bar = self.constraints.lattice.bar_ticks
        ways = self.constraints.lattice.reachable_counts(self._length, self._start % bar)
        values = self.constraints.lattice.positions.get(self.state.next_onset % bar, NO_DURATIONS)
        notes = self._notes_in_span + (not rests)
        return [
            value
            for value in (values.rests if rests else values.notes)
            if now + value <= self._length and self._fits(ways[now + value], notes)
        ]

    def pitch_context(self) -> list[int]:
        """Features for the pitch network."""
        self._context = self.state.pitch_context()
        return self._context

    def choose_pitch(self, logits: Logits) -> None:
        """Choose the next pitch or a rest from logits (26,)."""
        if self._fixed_events:
            self._use_fixed_pitch(self._fixed_events[-1].pitch, logits)
            return
        if self._at_cadence():
            self._choose_cadence_pitch(logits)
            return
        mask = np.zeros(N_PITCH_TOKENS, dtype=bool)
        note_values = self._open_durations(rests=False)
        given = self._given_pitch()
        if note_values:
            mask[:REST_TOKEN] = self._in_range() if given is None else True
        before = self.state.events[-1:]
        silent = before[0].pitch is None if before else self.constraints.phrase_pickup > 0
        silent = silent or self.state.next_onset in self.constraints.required_onsets
        if (not silent or not note_values) and self._open_durations(rests=True):
            mask[REST_TOKEN] = True
        if not mask.any():
            raise NoSuchTune(f"bar {self.span.first_bar + 1} cannot be filled")
        if given is None:
            token = self._sample(self._bias_to_reference(logits), mask)
            self._pitch = None if token == REST_TOKEN else self._reference_pitch() + token - OCTAVE
            return
        shares = np.where(mask, softmax(logits), 0)
        rest, note = shares[REST_TOKEN], shares[:REST_TOKEN].sum()
        if rest and note:
            rest *= (
                self._mean_completion(self._open_durations(rests=True), rests=True)
                ** LOOKAHEAD_WEIGHT
            )
            note *= self._mean_completion(note_values, rests=False) ** LOOKAHEAD_WEIGHT
        silent = mask[REST_TOKEN] and self._rng.random() * (rest + note) < rest
        self._pitch = None if silent else given

    def _mean_completion(self, values: Sequence[int], rests: bool) -> float:
        """How likely the span ends well when one of these values begins now."""
        at = self.state.next_onset % self.constraints.lattice.bar_ticks
        known = self.constraints.lattice.weights
        weights = np.array([known.get((at, value, rests), 0.0) + UNSEEN_WEIGHT for value in values])
        return float(weights @ self._completion_probabilities(values, rests)) / float(weights.sum())

    def _completion_probabilities(self, values: Sequence[int], rests: bool) -> Logits:
        """The same for each value by itself; for a span of a given number of notes."""
        total = self.constraints.note_counts[self._span_index].bit_length() - 1
        left = total - self._notes_in_span - self.span.cadence - (not rests)
        lattice = self.constraints.lattice
        table = lattice.completion_probability(self._length, self._start % lattice.bar_ticks, total)
        now = self.state.next_onset - self._start
        return np.array([table[now + value, left] if left >= 0 else 0.0 for value in values])

    def _given_pitch(self) -> int | None:
        if self.constraints.given_pitches is None:
            return None
        pitches = self.constraints.given_pitches[self._span_index]
        return pitches[min(self._notes_in_span, len(pitches) - 1)] if pitches else None

    def _reference_pitch(self) -> int:
        if self.state.last_pitch is None:
            return initial_pitch(self.constraints.key)
        return self.state.last_pitch

    def _in_range(self) -> NDArray[np.bool_]:
        pitches = self._reference_pitch() + np.arange(-OCTAVE, OCTAVE + 1)
        inside = (pitches >= self.constraints.lowest_pitch) & (
            pitches <= self.constraints.highest_pitch
        )
        if self.state.last_pitch is None and not self.constraints.phrase_pickup:
            return inside & np.isin(pitches % 12, self._cadence_pitch_classes(triad=True))
        return inside

    def _bias_to_reference(self, logits: Logits) -> Logits:
        """Give the pitch that stood here in an earlier phrase the share that the form wants."""
        if (model := self._varied_events.get(self.state.next_onset)) is not None:
            return set_probability(logits, self.state.interval_to(model.pitch), LIKE)
        if (shunned := self._avoided_events.get(self.state.next_onset)) is not None:
            token = self.state.interval_to(shunned.pitch)
            return set_probability(logits, token, min(UNLIKE, float(softmax(logits)[token])))
        return logits

    def _choose_cadence_pitch(self, logits: Logits) -> None:
        """End a part: on the tonic at the end of the tune, within its triad elsewhere."""
        if self.constraints.given_pitches is not None:
            self._pitch = self.constraints.given_pitches[self._span_index][-1]
            return
        reference = self._reference_pitch()
        pitches = reference + np.arange(-OCTAVE, OCTAVE + 1)
        mask = np.zeros(N_PITCH_TOKENS, dtype=bool)
        mask[:REST_TOKEN] = (
            (pitches >= self.constraints.lowest_pitch)
            & (pitches <= self.constraints.highest_pitch)
            & np.isin(pitches % 12, self._cadence_pitch_classes(triad=not self.span.final))
        )
        before = log_softmax(logits)
        token = self._sample(logits, mask)
        self.negative_log_likelihood -= float(before[token])
        self._pitch = reference + token - OCTAVE

    def _cadence_pitch_classes(self, triad: bool) -> list[int]:
        scale = self.constraints.key.scale
        return [scale[0], scale[2], scale[4]] if triad else [scale[0]]

    def _use_fixed_pitch(self, pitch: int | None, logits: Logits) -> None:
        given = self._given_pitch()
        self._pitch = pitch = pitch if given is None or pitch is None else given
        if self.state.next_onset == self._start:  # only the joint is a choice of the form
            self.negative_log_likelihood -= float(
                log_softmax(logits)[self.state.interval_to(pitch)]
            )

    def duration_context(self) -> list[int]:
        """Features for the duration network, now that the pitch is known."""
        interval = self.state.interval_to(self._pitch)
        return self.state.duration_context(self._context, interval, self._pitch)

    def choose_duration(self, logits: Logits) -> None:
        """Choose the duration from logits (V,) and write the event."""
        if self._fixed_events:
            ticks = self._fixed_events.pop().duration
        elif self._at_cadence():
            ticks = self._end - self.state.next_onset
        else:
            ticks = self._sample_duration(logits)
        self.state.append(self._pitch, ticks)
        self._notes_in_span += self._pitch is not None
        if self.state.next_onset == self._end:
            self._next_span()

    def _sample_duration(self, logits: Logits) -> int:
        """Draw one of the open values; one that the dictionary lacks stands at the nearest's."""
        durations = self.constraints.vocabulary
        open_values: dict[int, int] = {}
        for value in self._open_durations(rests=self._pitch is None):
            token = durations.token(value)
            if durations.ticks[token] == value or token not in open_values:
                open_values[token] = value
        mask = np.zeros(len(durations), dtype=bool)
        mask[list(open_values)] = True
        if (model := self._varied_events.get(self.state.next_onset)) is not None:
            token = durations.token(model.duration)
            logits = set_probability(logits, token, max(LIKE, float(softmax(logits)[token])))
        logits = self._mix_prior(logits)
        if self.constraints.given_pitches is not None:  # then so many notes must go in
            values = list(open_values.values())
            prospects = self._completion_probabilities(values, rests=self._pitch is None)
            logits = logits.copy()
            logits[list(open_values)] += (
                LOOKAHEAD_WEIGHT * self.constraints.temperature * np.log(prospects + 1e-300)
            )
        return open_values[self._sample(logits, mask)]

    def _mix_prior(self, logits: Logits) -> Logits:
        """Mix in how the target tune goes on from here (after Grave et al. 2017, the cache)."""
        taste = self.constraints.duration_prior.get(
            self.state.next_onset % self.constraints.lattice.bar_ticks
        )
        if taste is None or self._pitch is None:
            return logits
        share = HINT if self.constraints.given_pitches is None else TASTE
        mixed: Logits = np.log((1 - share) * softmax(logits) + share * taste + 1e-9)
        return mixed

    def _sample(self, logits: Logits, mask: NDArray[np.bool_]) -> int:
        return sample_top_p(
            logits, mask, self.constraints.temperature, self.constraints.top_p, self._rng
        )


def pitches_by_bar(events: Sequence[TuneEvent], bar_count: int, bar_ticks: int) -> list[list[int]]:
    """The pitches that begin in each of so many bars of ``bar`` ticks."""
    found: list[list[int]] = [[] for _ in range(bar_count)]
    for event in events:
        if event.pitch is not None:
            found[event.onset // bar_ticks].append(event.pitch)
    return found
