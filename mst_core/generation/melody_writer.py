"""One candidate melody while it is generated: which tokens are allowed at each event.

A writer follows a form plan span by span. In a generated span it samples from the networks'
predictions among the tokens with which the span can still end well: durations of the lattice that
fill it exactly, pitches within the range, a stable pitch at a cadence. A copied span repeats
earlier events. Where the pitches are given (a tune gets another rhythm), it takes them in order and
may put rests between them. Times are ticks from the first barline; V is the vocabulary's size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import TuneEvent
from mst_core.corpora.vocabulary import N_PITCH_TOKENS, OCTAVE, REST_TOKEN, DurationVocabulary
from mst_core.errors import NoSuchTune
from mst_core.generation.config import GenerationConfig
from mst_core.generation.form import FormPlan, FormSpan
from mst_core.generation.meter_model import Breath
from mst_core.generation.rhythm_lattice import NO_DURATIONS, UNSEEN_WEIGHT, Lattice, NoteCountSet
from mst_core.generation.sampling import (
    log_softmax,
    sample_masked,
    set_probability,
    softmax,
)
from mst_core.music import Key
from mst_core.networks.context import MelodyState, TuneHeader, initial_pitch


@dataclass(frozen=True, slots=True)
class WritingConstraints:
    """Constraints that all candidates of one tune share: form, rhythms, pitches, sampling."""

    header: TuneHeader
    key: Key
    plan: FormPlan
    lattice: Lattice
    vocabulary: DurationVocabulary
    lowest_pitch: int
    """MIDI number, as `highest_pitch`."""
    highest_pitch: int
    note_counts: tuple[NoteCountSet, ...]
    """For each span the numbers of notes that it may hold."""
    final_onset: int
    """Onset of the last note of a part, in ticks from its barline."""
    final_degree: int = 0
    """Semitones of the tune's last note above the tonic."""
    breaths: tuple[Breath | None, ...] = ()
    """For each span how it ends with a note and a rest, as a phrase of a solo; None where it is
    filled to its end."""
    compass: int | None = None
    """Semitones from the lowest to the highest note that a candidate is selected for."""
    outside_share: float = 1.0
    """Share of the notes, 0 to 1, that tunes of the style have outside the scale of their key."""
    temperature: float = 1.0
    """Logits are divided by this before softmax."""
    top_p: float = 1.0
    """Share of the allowed probability that stays in play, most probable tokens first."""
    given_pitches: tuple[tuple[int, ...], ...] | None = None
    """MIDI numbers for each span; None when pitches are sampled."""
    fixed_rhythms: tuple[tuple[TuneEvent, ...] | None, ...] = ()
    """For each span that stays as it is, its events; given pitches replace theirs."""
    required_onsets: frozenset[int] = frozenset()
    """Ticks where a note begins, not a rest, if the span allows it."""
    pickup: int = 0
    """Ticks before the first barline; a span with first bar -1 holds them."""
    phrase_pickup: int = 0
    """Every span begins this many ticks before its barline: a new tune's pickup."""
    duration_prior: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)
    """Probabilities (V,) of durations by position in the bar, from one other tune."""
    config: GenerationConfig = GenerationConfig()

    def start(self, span: FormSpan) -> int:
        """Return the tick where a span begins."""
        return max(span.first_bar * self.lattice.bar_ticks, -self.pickup) - self.phrase_pickup

    def end(self, span: FormSpan) -> int:
        """Return the tick where a span ends."""
        return (span.first_bar + span.bar_count) * self.lattice.bar_ticks - self.phrase_pickup


class MelodyWriter:
    """Generates one melody, event by event.

    For each event call `pitch_context`, `choose_pitch`, `duration_context` and `choose_duration`,
    in this order, until `done`.
    """

    def __init__(self, constraints: WritingConstraints, rng: np.random.Generator) -> None:
        self.constraints = constraints
        self.state = MelodyState(
            constraints.header,
            constraints.vocabulary,
            start=-constraints.pickup - constraints.phrase_pickup,
        )
        self.negative_log_likelihood = 0.0
        """Nats, summed over the cadence pitches and the first pitch of each copy."""
        self._rng = rng
        self._config = constraints.config
        self._lattice = constraints.lattice
        self._bar_ticks = constraints.lattice.bar_ticks
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
        """Whether every span is complete."""
        return self._span_index >= len(self.constraints.plan.spans)

    @property
    def span(self) -> FormSpan:
        """The span that is being generated."""
        return self.constraints.plan.spans[self._span_index]

    def pitch_context(self) -> list[int]:
        """Return the features (F,) for the pitch network."""
        self._context = self.state.pitch_context()
        return self._context

    def choose_pitch(self, logits: NDArray[np.float64]) -> None:
        """Choose the next pitch or a rest.

        Args:
            logits: of intervals from -12 to 12 semitones and the rest, (26,).

        Raises:
            NoSuchTune: when the span allows neither a note nor a rest.
        """
        if self._fixed_events:
            self._use_fixed_pitch(self._fixed_events[-1].pitch, logits)
            return
        if self._at_last_note() and self.span.cadence:
            self._choose_cadence_pitch(logits)
            return
        if self._at_last_note():
            mask = np.append(self._in_range(), False)  # (26,)
            token = self._sample(self._bias_to_reference(logits), mask)
            self._pitch = self._reference_pitch() + token - OCTAVE
            return
        note_durations = self._open_durations(rests=False)
        given = self._given_pitch()
        mask = np.zeros(N_PITCH_TOKENS, dtype=bool)  # (26,)
        if note_durations:
            mask[:REST_TOKEN] = self._in_range() if given is None else True
        if (not self._is_rest_excluded() or not note_durations) and self._open_durations(
            rests=True
        ):
            mask[REST_TOKEN] = True
        if not mask.any():
            raise NoSuchTune(f"bar {self.span.first_bar + 1} cannot be filled")
        if given is None:
            token = self._sample(self._bias_to_reference(logits), mask)
            self._pitch = None if token == REST_TOKEN else self._reference_pitch() + token - OCTAVE
        else:
            self._pitch = None if self._sample_rest(logits, mask, note_durations) else given

    def duration_context(self) -> list[int]:
        """Return the features (F,) for the duration network, now that the pitch is chosen."""
        interval = self.state.interval_to(self._pitch)
        return self.state.duration_context(self._context, interval, self._pitch)

    def choose_duration(self, logits: NDArray[np.float64]) -> None:
        """Choose the duration from logits (V,) and append the event."""
        if self._fixed_events:
            ticks = self._fixed_events.pop().duration
        elif self._at_last_note():
            ticks = self._end - self.state.next_onset
            if self._breath is not None:
                rest = ticks - self._breath.duration + self._breath.lead
                ticks = self._breath.duration
                if rest > 0:
                    self._fixed_events = [TuneEvent(None, self.state.next_onset + ticks, rest)]
        else:
            ticks = self._sample_duration(logits)
        self.state.append(self._pitch, ticks)
        self._notes_in_span += self._pitch is not None
        if self.state.next_onset >= self._end:  # a breath may last into the next span
            self._next_span()

    # Spans

    def _next_span(self) -> None:
        """Go to the next span of the plan and collect the earlier events that it refers to."""
        self._span_index += 1
        self._notes_in_span = 0
        if self.done:
            return
        constraints, span = self.constraints, self.span
        self._start, self._end = constraints.start(span), constraints.end(span)
        breaths = constraints.breaths
        self._breath = breaths[self._span_index] if breaths else None
        last_onset = constraints.final_onset if self._breath is None else self._breath.onset
        self._has_last_note = span.cadence or self._breath is not None
        filled = self._end  # the lattice fills the span, or what comes before its last note
        if self._has_last_note:
            filled += constraints.phrase_pickup - self._bar_ticks + last_onset
        self._length = filled - self._start
        rhythms = constraints.fixed_rhythms
        fixed = rhythms[self._span_index] if rhythms else None
        if fixed is not None:
            self._fixed_events = list(fixed[::-1])
        elif span.copies is not None:
            self._fixed_events = self._events_from(span.copies)[::-1]
        elif span.varies is not None:
            self._varied_events = {e.onset: e for e in self._events_from(span.varies)}
        elif span.avoids is not None:
            self._avoided_events = {e.onset: e for e in self._events_from(span.avoids)}

    def _events_from(self, source: int) -> list[TuneEvent]:
        """Return the events of as many bars from an earlier one on, moved to this span."""
        shift = (self.span.first_bar - source) * self._bar_ticks
        return [
            TuneEvent(event.pitch, event.onset + shift, event.duration)
            for event in self.state.events
            if self._start <= event.onset + shift < self._end
        ]

    def _at_last_note(self) -> bool:
        """Whether the next event is the note of a cadence or before a breath."""
        return self._has_last_note and self.state.next_onset - self._start == self._length

    # Pitches

    def _is_rest_excluded(self) -> bool:
        """Whether the next event is no rest: after a rest, at a beginning, at a required onset."""
        previous = self.state.events[-1:]
        is_new = self.constraints.given_pitches is None
        if is_new and (not previous or self._begins_with_pickup()):
            return True
        if previous and previous[0].pitch is None:
            return True
        return self.state.next_onset in self.constraints.required_onsets

    def _begins_with_pickup(self) -> bool:
        """Whether the next event is the first of a phrase that has a pickup."""
        return self.constraints.phrase_pickup > 0 and self.state.next_onset == self._start

    def _sample_rest(
        self, logits: NDArray[np.float64], mask: NDArray[np.bool_], note_durations: Sequence[int]
    ) -> bool:
        """Whether a rest comes before the given pitch: by logits (26,), with look-ahead."""
        probabilities = np.where(mask, softmax(logits), 0)  # (26,)
        rest, note = probabilities[REST_TOKEN], probabilities[:REST_TOKEN].sum()
        if rest and note:
            weight = self._config.lookahead_weight
            rest *= self._mean_completion(self._open_durations(rests=True), rests=True) ** weight
            note *= self._mean_completion(note_durations, rests=False) ** weight
        return bool(mask[REST_TOKEN] and self._rng.random() * (rest + note) < rest)

    def _given_pitch(self) -> int | None:
        """Return the next given pitch; None when pitches are sampled, or the span has none."""
        if self.constraints.given_pitches is None:
            return None
        pitches = self.constraints.given_pitches[self._span_index]
        return pitches[min(self._notes_in_span, len(pitches) - 1)] if pitches else None

    def _reference_pitch(self) -> int:
        """Return the pitch that the next interval counts from."""
        if self.state.last_pitch is None:
            return initial_pitch(self.constraints.key)
        return self.state.last_pitch

    def _reachable_pitches(self) -> tuple[NDArray[np.int_], NDArray[np.bool_]]:
        """Return the MIDI numbers (25,) of intervals -12 to 12, and which of them are in range."""
        pitches = self._reference_pitch() + np.arange(-OCTAVE, OCTAVE + 1)  # (25,)
        low, high = self.constraints.lowest_pitch, self.constraints.highest_pitch
        return pitches, (pitches >= low) & (pitches <= high)

    def _in_range(self) -> NDArray[np.bool_]:
        """Return which intervals (25,) are allowed: in range, first on the tonic triad."""
        pitches, allowed = self._reachable_pitches()
        if self.state.last_pitch is None and not self.constraints.phrase_pickup:
            return allowed & np.isin(pitches % 12, self._triad())
        return allowed

    def _bias_to_reference(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raise the logit (26,) of the bar that the span varies, or cap that of one it avoids."""
        if (varied := self._varied_events.get(self.state.next_onset)) is not None:
            token = self.state.interval_to(varied.pitch)
            return set_probability(logits, token, self._config.variation_keep)
        if (avoided := self._avoided_events.get(self.state.next_onset)) is not None:
            token = self.state.interval_to(avoided.pitch)
            probability = min(self._config.variation_cap, float(softmax(logits)[token]))
            return set_probability(logits, token, probability)
        return logits

    def _choose_cadence_pitch(self, logits: NDArray[np.float64]) -> None:
        """End a part by logits (26,): on the final degree at the end, else within the triad."""
        if self.constraints.given_pitches is not None:
            self._pitch = self.constraints.given_pitches[self._span_index][-1]
            return
        pitches, allowed = self._reachable_pitches()
        stable = self._triad()
        if self.span.final:
            stable = [(self.constraints.key.tonic + self.constraints.final_degree) % 12]
        mask = np.zeros(N_PITCH_TOKENS, dtype=bool)  # (26,)
        mask[:REST_TOKEN] = allowed & np.isin(pitches % 12, stable)
        token = self._sample(logits, mask)
        self.negative_log_likelihood -= float(log_softmax(logits)[token])
        self._pitch = int(pitches[token])

    def _triad(self) -> list[int]:
        """Return the pitch classes of the tonic triad."""
        scale = self.constraints.key.scale
        return [scale[0], scale[2], scale[4]]

    def _use_fixed_pitch(self, pitch: int | None, logits: NDArray[np.float64]) -> None:
        """Take the pitch of a copied event; the first of a span counts by its logit (26,)."""
        given = self._given_pitch()
        self._pitch = pitch = pitch if given is None or pitch is None else given
        if self.state.next_onset == self._start:
            token = self.state.interval_to(pitch)
            self.negative_log_likelihood -= float(log_softmax(logits)[token])

    # Durations

    def _open_durations(self, rests: bool) -> list[int]:
        """Return the durations, in ticks, with which the span can still end well."""
        elapsed = self.state.next_onset - self._start
        counts = self._lattice.reachable_counts(self._length, self._start % self._bar_ticks)
        allowed = self._lattice.positions.get(self.state.next_onset % self._bar_ticks, NO_DURATIONS)
        wanted = self.constraints.note_counts[self._span_index]
        notes = self._notes_in_span + (not rests) + self._has_last_note
        return [
            ticks
            for ticks in (allowed.rests if rests else allowed.notes)
            if elapsed + ticks <= self._length and (counts[elapsed + ticks] << notes) & wanted
        ]

    def _mean_completion(self, durations: Sequence[int], rests: bool) -> float:
        """Return the probability that the span ends well when one of these durations is next."""
        position = self.state.next_onset % self._bar_ticks
        known = self._lattice.weights
        weights = np.array(
            [known.get((position, ticks, rests), 0.0) + UNSEEN_WEIGHT for ticks in durations]
        )  # (D,)
        completion = self._completion_probabilities(durations, rests)
        return float(weights @ completion) / float(weights.sum())

    def _completion_probabilities(
        self, durations: Sequence[int], rests: bool
    ) -> NDArray[np.float64]:
        """Return completion probabilities (D,) by duration in a span of a given number of notes."""
        total = self.constraints.note_counts[self._span_index].bit_length() - 1
        left = total - self._notes_in_span - self._has_last_note - (not rests)
        table = self._lattice.completion_probability(
            self._length, self._start % self._bar_ticks, total
        )  # (length + 1, total + 1)
        elapsed = self.state.next_onset - self._start
        return np.array([table[elapsed + ticks, left] if left >= 0 else 0.0 for ticks in durations])

    def _sample_duration(self, logits: NDArray[np.float64]) -> int:
        """Draw an open duration by logits (V,); one that V lacks takes the nearest token."""
        vocabulary = self.constraints.vocabulary
        is_rest = self._pitch is None
        ticks_of: dict[int, int] = {}
        for ticks in self._open_durations(rests=is_rest):
            token = vocabulary.token(ticks)
            if vocabulary.ticks[token] == ticks or token not in ticks_of:
                ticks_of[token] = ticks
        mask = np.zeros(len(vocabulary), dtype=bool)  # (V,)
        mask[list(ticks_of)] = True
        if (varied := self._varied_events.get(self.state.next_onset)) is not None:
            token = vocabulary.token(varied.duration)
            probability = max(self._config.variation_keep, float(softmax(logits)[token]))
            logits = set_probability(logits, token, probability)
        logits = self._mix_prior(logits)
        if self.constraints.given_pitches is not None:
            completion = self._completion_probabilities(list(ticks_of.values()), rests=is_rest)
            weight = self._config.lookahead_weight * self.constraints.temperature
            logits = logits.copy()
            logits[list(ticks_of)] += weight * np.log(completion + 1e-300)
        return ticks_of[self._sample(logits, mask)]

    def _mix_prior(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mix the duration prior (V,) of this position into the logits (V,), for notes."""
        prior = self.constraints.duration_prior.get(self.state.next_onset % self._bar_ticks)
        if prior is None or self._pitch is None:
            return logits
        free = self.constraints.given_pitches is None
        share = self._config.reference_prior_weight if free else self._config.target_prior_weight
        mixed: NDArray[np.float64] = np.log(
            (1 - share) * softmax(logits) + share * prior + 1e-9
        )  # (V,)
        return mixed

    def _sample(self, logits: NDArray[np.float64], mask: NDArray[np.bool_]) -> int:
        """Draw a token by logits and mask (V,), at the temperature and top-p in force."""
        constraints = self.constraints
        return sample_masked(logits, mask, constraints.temperature, constraints.top_p, self._rng)
