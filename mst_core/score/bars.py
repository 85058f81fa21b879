"""A melody laid out into bars, as a musician would write it: what every written form stands on.

Notes and rests are cut at barlines and where a reader needs to see the pulse, into pieces that one
note head can show: plain or dotted, in a triplet where the grid of 32nds does not do. Ties hold the
pieces of a note together. It knows nothing of any file format.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from mst_core.errors import UnwritableRhythm
from mst_core.music import Melody
from mst_core.score.beams import beam
from mst_core.score.pulse import STEPS, Pulse
from mst_core.score.signs import VALUES, Piece
from mst_core.score.spelling import Spelling, spell
from mst_core.score.triplets import Triplet, find_triplets

LOWEST_IN_TREBLE = 55
"""A tune whose middle pitch is below this G is written in the bass clef."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its pieces from left to right. Together they last ``length`` exactly."""

    number: int
    """Counted from 1, and from 0 downwards in a pickup."""
    length: Fraction
    """Quarter notes; shorter than the meter's bar in a pickup."""
    pieces: tuple[Piece, ...]
    opens_section: bool
    """Whether a section of the tune begins here; the first bar always does."""
    closing: str
    """The barline on its right: ``single``, ``double`` before a section, or ``final``."""

    @property
    def empty(self) -> bool:
        """Whether nothing sounds in it."""
        return all(piece.spelling is None for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class _Span:
    """A note or a rest within one bar, in steps from the place where the full bar begins."""

    start: int
    end: int
    spelling: Spelling | None
    tied: bool
    continues: bool


def lay_out(melody: Melody) -> tuple[Bar, ...]:
    """Lay a melody out into its bars; a pickup makes a short first one.

    Raises:
        UnwritableRhythm: when a note begins or ends off the grid of 1/24 quarter.
    """
    pulse = Pulse.of(melody.meter)
    spans = _spans(melody, pulse.bar)
    first = min(spans, default=0)
    bars: list[Bar] = []
    for place in range(min(first, 0), melody.bars):
        in_bar = spans.get(place, [])
        cuts = {span.start for span in in_bar} | {span.end for span in in_bar}
        resting = [span for span in in_bar if span.spelling is None]
        triplets = find_triplets(cuts, [(rest.start, rest.end) for rest in resting], pulse)
        if place == first < 0:  # the silence before a pickup is not written
            silence = in_bar.pop(0) if in_bar[0].spelling is None else None
            if silence is not None:
                begin = _pickup_start(silence.end, triplets)
                if begin < silence.end:
                    in_bar.insert(0, replace(silence, start=begin))
        pieces = tuple(beam(_cut(in_bar, triplets, pulse), pulse))
        last = place + 1 == melody.bars
        double = place + 1 in melody.sections and place >= 0
        bars.append(
            Bar(
                number=place + 1,
                length=sum((piece.duration for piece in pieces), Fraction(0)),
                pieces=pieces,
                opens_section=place == first or (place in melody.sections and place > 0),
                closing="final" if last else "double" if double else "single",
            )
        )
    return tuple(bars)


def break_lines(bars: Sequence[Bar], count: int) -> Iterator[list[Bar]]:
    """Break bars into lines of ``count``; a pickup goes with the first, a section opens a line."""
    line: list[Bar] = []
    for bar in bars:
        full = sum(1 for each in line if each.number > 0) == count
        if line and (full or (bar.opens_section and line[-1].number > 0)):
            yield line
            line = []
        line.append(bar)
    if line:
        yield line


def _steps(time: Fraction, melody: Melody) -> int:
    steps = time * STEPS
    if steps.denominator != 1:
        bar = time // melody.meter.bar + 1
        raise UnwritableRhythm(bar, f"{time % melody.meter.bar} quarters after the barline")
    return int(steps)


def _spans(melody: Melody, bar: int) -> dict[int, list[_Span]]:
    """Fill the time line with notes and rests, cut at barlines, by bar counted from 0."""
    timeline: list[tuple[int, int, Spelling | None]] = []
    now = -bar * -(-_steps(melody.pickup, melody) // bar)
    for note, spelling in zip(melody.notes, spell(melody.pitches, melody.key), strict=True):
        onset, end = _steps(note.onset, melody), _steps(note.end, melody)
        if onset > now:
            timeline.append((now, onset, None))
        timeline.append((onset, end, spelling))
        now = end
    if now < melody.bars * bar:
        timeline.append((now, melody.bars * bar, None))
    spans: dict[int, list[_Span]] = {}
    for start, end, written in timeline:
        sounds = written is not None
        for place in range(start // bar, -(-end // bar)):
            begin, stop = max(start, place * bar), min(end, (place + 1) * bar)
            spans.setdefault(place, []).append(
                _Span(
                    begin - place * bar,
                    stop - place * bar,
                    written,
                    tied=sounds and stop < end,
                    continues=sounds and begin > start,
                )
            )
    return spans


def _pickup_start(onset: int, triplets: list[Triplet]) -> int:
    """Begin where the first note does, or at the rest that opens its triplet."""
    return min([onset, *(triplet.start for triplet in triplets)])


def _cut(spans: list[_Span], triplets: list[Triplet], pulse: Pulse) -> Iterator[Piece]:
    """Cut spans into pieces that one sign can show."""
    edges = sorted({edge for triplet in triplets for edge in (triplet.start, triplet.end)})
    for span in spans:
        inner = [edge for edge in edges if span.start < edge < span.end]
        parts: list[tuple[int, int, int | None]] = []
        for start, end in pairwise([span.start, *inner, span.end]):
            number = next((n for n, t in enumerate(triplets) if t.start <= start < t.end), None)
            strength = pulse.strength if number is None else triplets[number].strength
            writable = _writable(strength, pulse, span.spelling is None, number is not None)
            parts += [(a, b, number) for a, b in _split(start, end, strength, writable)]
        for part, (start, end, number) in enumerate(parts):
            whole = start if number is None else triplets[number].start
            yield Piece(
                onset=Fraction(start, STEPS),
                duration=Fraction(end - start, STEPS),
                value=VALUES[_shown(end - start, number is not None)],
                spelling=span.spelling,
                group=bisect_right(pulse.groups, whole) - 1,
                tied=span.tied if part + 1 == len(parts) else span.spelling is not None,
                continues=span.continues if part == 0 else span.spelling is not None,
                triplet=number,
            )


def _shown(steps: int, in_triplet: bool) -> Fraction:
    return Fraction(steps * 3, 2) if in_triplet else Fraction(steps)


def _split(
    start: int,
    end: int,
    strength: Callable[[int], int],
    writable: Callable[[int, int], bool],
) -> list[tuple[int, int]]:
    """Split at the strongest places inside, into as few pieces as can be."""
    if writable(start, end):
        return [(start, end)]
    strongest = max(strength(place) for place in range(start + 1, end))
    ways = (
        _split(start, place, strength, writable) + _split(place, end, strength, writable)
        for place in range(start + 1, end)
        if strength(place) == strongest
    )
    return min(ways, key=len)


def _writable(
    strength: Callable[[int], int], pulse: Pulse, rest: bool, in_triplet: bool
) -> Callable[[int, int], bool]:
    """Tell which stretches one sign may show without hiding the pulse."""

    def writable(start: int, end: int) -> bool:
        value = VALUES.get(_shown(end - start, in_triplet))
        if value is None or in_triplet:
            return value is not None  # in a triplet fewer signs are clearer than its inner pulse
        inside = [strength(place) for place in range(start + 1, end)]
        strongest = max(inside, default=-9)
        opens, closes = strength(start), strength(end)
        if pulse.compound and strongest >= 3:
            return opens >= 3 and closes >= 3 and not (rest and opens < strongest)
        if rest and value.dots and not pulse.compound:
            return False
        if rest and not value.dots and start % (end - start):
            return pulse.compound and opens >= strongest
        if opens >= strongest:
            return True
        if rest or opens < strongest - 1:
            return False
        # Syncopations that every reader knows: short-long-short, and short-dotted.
        centred = strength((start + end) // 2) == strongest and not value.dots
        return centred or (value.dots == 1 and closes > strongest)

    return writable
