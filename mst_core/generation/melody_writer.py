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

from mst_core.corpora.tunes import Event
from mst_core.corpora.vocabulary import INTERVALS, OCTAVE, REST, DurationDictionary
from mst_core.errors import NoSuchTune
from mst_core.generation.form import Plan, Span
from mst_core.generation.rhythm_lattice import NOTHING, UNSEEN, Counts, Lattice
from mst_core.generation.sampling import Logits, draw, log_shares, shares_of, with_share
from mst_core.music import Key
from mst_core.networks.context import Heading, Line, first_reference

TASTE, HINT = 0.5, 0.25
"""Share of a target tune's own rhythm against the network's, and of a new tune's model."""
FORESIGHT = 0.35
"""How much a writer with given pitches thinks of the notes that must still go into the bar. At 0 it
dawdles and crams: a rest of four beats, then sextuplets, which a judge takes for very jazzy."""
LIKE, UNLIKE = 0.8, 0.4
"""Share of the earlier pitch in a varied phrase, and its most in one that goes on elsewhere: real
bars count as varied when .6 of the notes stay. Left alone, folk's network that has begun to repeat
goes on, and of 30 tunes 29 repeated two bars (real: two in three)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What all candidates of one tune share."""

    heading: Heading
    key: Key
    plan: Plan
    lattice: Lattice
    durations: DurationDictionary
    lowest: int
    highest: int
    counts: tuple[Counts, ...]
    """For each span the numbers of notes that it may hold."""
    ending: int
    """Place in the bar where the last note of a part begins, in ticks."""
    heat: float = 0.95  # temperature: below 1 the likely becomes likelier
    nucleus: float = 0.95
    """Share of probability that stays in play; the unlikely rest is never drawn."""
    pitches: tuple[tuple[int, ...], ...] | None = None
    """The given pitches of each span; None when pitches are free."""
    rhythms: tuple[tuple[Event, ...] | None, ...] = ()
    """For spans that stay as they are, their events; whatever pitch they name, the given count."""
    awaited: frozenset[int] = frozenset()
    """Ticks where a note begins, not a rest, if one can."""
    pickup: int = 0
    """Ticks before the first downbeat; a span with first bar -1 holds them."""
    lead: int = 0
    """Ticks by which every span begins before its barline: a new tune's pickup, at each phrase."""
    taste: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)
    """How one other tune fills each place of the bar: shares (V,), mixed into the network's."""

    def start(self, span: Span) -> int:
        """Where a span begins, in ticks."""
        return max(span.first * self.lattice.bar, -self.pickup) - self.lead

    def end(self, span: Span) -> int:
        """Where it ends."""
        return (span.first + span.bars) * self.lattice.bar - self.lead


class LineWriter:
    """Writes one line, event by event. Call the four methods of an event in order."""

    def __init__(self, frame: Frame, rng: np.random.Generator) -> None:
        self.frame = frame
        self.line = Line(frame.heading, frame.durations, start=-frame.pickup - frame.lead)
        self.surprise = 0.0
        """Nats of the pitches that the form forced, summed: how well copies and cadences join."""
        self._rng = rng
        self._span = -1
        self._queue: list[Event] = []
        self._model: dict[int, Event] = {}
        self._shunned: dict[int, Event] = {}
        self._written = 0
        self._pitch: int | None = None
        self._context: list[int] = []
        self._next_span()

    @property
    def done(self) -> bool:
        """Whether the tune is whole."""
        return self._span >= len(self.frame.plan.spans)

    @property
    def span(self) -> Span:
        """The span that is being written."""
        return self.frame.plan.spans[self._span]

    def _next_span(self) -> None:
        self._span += 1
        self._written = 0
        if self.done:
            return
        self._start, self._end = self.frame.start(self.span), self.frame.end(self.span)
        # What the lattice has to fill: a cadence note comes after.
        closing = self._end + self.frame.lead - self.frame.lattice.bar + self.frame.ending
        self._length = (closing if self.span.closes else self._end) - self._start
        rhythm = self.frame.rhythms[self._span] if self.frame.rhythms else None
        if rhythm is not None:
            self._queue = list(rhythm[::-1])
        elif self.span.source is not None:
            self._queue = self._earlier(self.span.source)[::-1]
        elif self.span.model is not None:
            self._model = {e.onset: e for e in self._earlier(self.span.model)}
        elif self.span.shunned is not None:
            self._shunned = {e.onset: e for e in self._earlier(self.span.shunned)}

    def _earlier(self, source: int) -> list[Event]:
        """The events of as many bars from an earlier one on, moved to here."""
        moved = (self.span.first - source) * self.frame.lattice.bar
        return [
            Event(event.pitch, event.onset + moved, event.duration)
            for event in self.line.events
            if self._start <= event.onset + moved < self._end
        ]

    def _at_cadence(self) -> bool:
        return self.span.closes and self.line.now - self._start == self._length

    def _fits(self, ways: Counts, notes: int) -> bool:
        """Whether the span can end well after so many notes, given the ways on from a tick."""
        total = self.frame.counts[self._span]
        return bool((ways << (notes + self.span.closes)) & total)

    def _values(self, rests: bool) -> list[int]:
        """The note or rest values, in ticks, that can begin now."""
        now = self.line.now - self._start
        bar = self.frame.lattice.bar
        ways = self.frame.lattice.ways(self._length, self._start % bar)
        values = self.frame.lattice.places.get(self.line.now % bar, NOTHING)
        notes = self._written + (not rests)
        return [
            value
            for value in (values.rests if rests else values.notes)
            if now + value <= self._length and self._fits(ways[now + value], notes)
        ]

    def pitch_context(self) -> list[int]:
        """Features for the pitch network."""
        self._context = self.line.pitch_context()
        return self._context

    def choose_pitch(self, logits: Logits) -> None:
        """Choose the next pitch or a rest from logits (26,)."""
        if self._queue:
            self._force(self._queue[-1].pitch, logits)
            return
        if self._at_cadence():
            self._cadence(logits)
            return
        mask = np.zeros(INTERVALS, dtype=bool)
        note_values = self._values(rests=False)
        given = self._given()
        if note_values:
            mask[:REST] = self._in_range() if given is None else True
        before = self.line.events[-1:]
        silent = before[0].pitch is None if before else self.frame.lead > 0
        silent = silent or self.line.now in self.frame.awaited
        if (not silent or not note_values) and self._values(rests=True):
            mask[REST] = True
        if not mask.any():
            raise NoSuchTune(f"bar {self.span.first + 1} cannot be filled")
        if given is None:
            token = self._draw(self._leaning(logits), mask)
            self._pitch = None if token == REST else self._reference() + token - OCTAVE
            return
        shares = np.where(mask, shares_of(logits), 0)
        rest, note = shares[REST], shares[:REST].sum()
        if rest and note:
            rest *= self._prospect(self._values(rests=True), rests=True) ** FORESIGHT
            note *= self._prospect(note_values, rests=False) ** FORESIGHT
        silent = mask[REST] and self._rng.random() * (rest + note) < rest
        self._pitch = None if silent else given

    def _prospect(self, values: Sequence[int], rests: bool) -> float:
        """How likely the span ends well when one of these values begins now."""
        at = self.line.now % self.frame.lattice.bar
        known = self.frame.lattice.weights
        weights = np.array([known.get((at, value, rests), 0.0) + UNSEEN for value in values])
        return float(weights @ self._prospects(values, rests)) / float(weights.sum())

    def _prospects(self, values: Sequence[int], rests: bool) -> Logits:
        """The same for each value by itself; for a span of a given number of notes."""
        total = self.frame.counts[self._span].bit_length() - 1
        left = total - self._written - self.span.closes - (not rests)
        lattice = self.frame.lattice
        table = lattice.prospects(self._length, self._start % lattice.bar, total)
        now = self.line.now - self._start
        return np.array([table[now + value, left] if left >= 0 else 0.0 for value in values])

    def _given(self) -> int | None:
        if self.frame.pitches is None:
            return None
        pitches = self.frame.pitches[self._span]
        return pitches[min(self._written, len(pitches) - 1)] if pitches else None

    def _reference(self) -> int:
        if self.line.pitch is None:
            return first_reference(self.frame.key)
        return self.line.pitch

    def _in_range(self) -> NDArray[np.bool_]:
        pitches = self._reference() + np.arange(-OCTAVE, OCTAVE + 1)
        inside = (pitches >= self.frame.lowest) & (pitches <= self.frame.highest)
        if self.line.pitch is None and not self.frame.lead:
            return inside & np.isin(pitches % 12, self._stable(triad=True))
        return inside

    def _leaning(self, logits: Logits) -> Logits:
        """Give the pitch that stood here in an earlier phrase the share that the form wants."""
        if (model := self._model.get(self.line.now)) is not None:
            return with_share(logits, self.line.interval(model.pitch), LIKE)
        if (shunned := self._shunned.get(self.line.now)) is not None:
            token = self.line.interval(shunned.pitch)
            return with_share(logits, token, min(UNLIKE, float(shares_of(logits)[token])))
        return logits

    def _cadence(self, logits: Logits) -> None:
        """End a part: on the tonic at the end of the tune, within its triad elsewhere."""
        if self.frame.pitches is not None:
            self._pitch = self.frame.pitches[self._span][-1]
            return
        reference = self._reference()
        pitches = reference + np.arange(-OCTAVE, OCTAVE + 1)
        mask = np.zeros(INTERVALS, dtype=bool)
        mask[:REST] = (
            (pitches >= self.frame.lowest)
            & (pitches <= self.frame.highest)
            & np.isin(pitches % 12, self._stable(triad=not self.span.home))
        )
        before = log_shares(logits)
        token = self._draw(logits, mask)
        self.surprise -= float(before[token])
        self._pitch = reference + token - OCTAVE

    def _stable(self, triad: bool) -> list[int]:
        scale = self.frame.key.scale
        return [scale[0], scale[2], scale[4]] if triad else [scale[0]]

    def _force(self, pitch: int | None, logits: Logits) -> None:
        given = self._given()
        self._pitch = pitch = pitch if given is None or pitch is None else given
        if self.line.now == self._start:  # only the joint is a choice of the form
            self.surprise -= float(log_shares(logits)[self.line.interval(pitch)])

    def duration_context(self) -> list[int]:
        """Features for the duration network, now that the pitch is known."""
        interval = self.line.interval(self._pitch)
        return self.line.duration_context(self._context, interval, self._pitch)

    def choose_duration(self, logits: Logits) -> None:
        """Choose the duration from logits (V,) and write the event."""
        if self._queue:
            ticks = self._queue.pop().duration
        elif self._at_cadence():
            ticks = self._end - self.line.now
        else:
            ticks = self._draw_value(logits)
        self.line.write(self._pitch, ticks)
        self._written += self._pitch is not None
        if self.line.now == self._end:
            self._next_span()

    def _draw_value(self, logits: Logits) -> int:
        """Draw one of the open values; one that the dictionary lacks stands at the nearest's."""
        durations = self.frame.durations
        open_values: dict[int, int] = {}
        for value in self._values(rests=self._pitch is None):
            token = durations.token(value)
            if durations.ticks[token] == value or token not in open_values:
                open_values[token] = value
        mask = np.zeros(len(durations), dtype=bool)
        mask[list(open_values)] = True
        if (model := self._model.get(self.line.now)) is not None:
            token = durations.token(model.duration)
            logits = with_share(logits, token, max(LIKE, float(shares_of(logits)[token])))
        logits = self._tasted(logits)
        if self.frame.pitches is not None:  # then so many notes must go in
            values = list(open_values.values())
            prospects = self._prospects(values, rests=self._pitch is None)
            logits = logits.copy()
            logits[list(open_values)] += FORESIGHT * self.frame.heat * np.log(prospects + 1e-300)
        return open_values[self._draw(logits, mask)]

    def _tasted(self, logits: Logits) -> Logits:
        """Mix in how the target tune goes on from here (after Grave et al. 2017, the cache)."""
        taste = self.frame.taste.get(self.line.now % self.frame.lattice.bar)
        if taste is None or self._pitch is None:
            return logits
        share = HINT if self.frame.pitches is None else TASTE
        mixed: Logits = np.log((1 - share) * shares_of(logits) + share * taste + 1e-9)
        return mixed

    def _draw(self, logits: Logits, mask: NDArray[np.bool_]) -> int:
        return draw(logits, mask, self.frame.heat, self.frame.nucleus, self._rng)


def pitches_by_bar(events: Sequence[Event], bars: int, bar: int) -> list[list[int]]:
    """The pitches that begin in each of so many bars of ``bar`` ticks."""
    found: list[list[int]] = [[] for _ in range(bars)]
    for event in events:
        if event.pitch is not None:
            found[event.onset // bar].append(event.pitch)
    return found
