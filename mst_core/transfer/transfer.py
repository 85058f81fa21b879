"""A given tune changed: another rhythm, another melody language or both, and all that came with it.

The ladders of a tune are kept for a while, so that another strength of it costs next to nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Generic, Literal, TypeVar

from mst_core.errors import BadOption, TooLong
from mst_core.generation.composition import Composition, SideResult
from mst_core.jobs import Side, Transfer, parse_bar_ranges
from mst_core.music import Melody, Meter, Part
from mst_core.networks.style import Style
from mst_core.reading.parsed_score import Limits, ParsedScore
from mst_core.statistics.reference_profiles import proximity_rank
from mst_core.statistics.shared_runs import SharedRun
from mst_core.styles import StyleCard
from mst_core.transfer.mashup import combine
from mst_core.transfer.meter_map import time_map
from mst_core.transfer.pitch import (
    PitchPath,
    PitchTarget,
    build_pitch_path,
    tongue_like,
    tongue_of,
)
from mst_core.transfer.rhythm import Rerhythmed, RhythmPath, build_rhythm_path
from mst_core.transfer.structure import count_kept_repeats
from mst_core.transfer.target import RhythmTarget, target_like, target_of, to_corpus_tune

# What can be said of a changed tune: how near its target is, and what it shares with it.


def measure_side(
    side_result: SideResult,
    result: Melody,
    style: Style,
    like: Melody | None,
    styles: Mapping[str, Style],
    side: Literal["rhythm", "pitch"],
) -> SideResult:
    """Add rank and shared runs of a result, measured against its target: one tune, or a style."""
    tune = to_corpus_tune(result)
    target = style.name if like is None else to_corpus_tune(like)
    known = {
        name: other.reference_profiles for name, other in styles.items() if other.reference_profiles
    }
    near = proximity_rank(tune, target, known, side=side)
    run: SharedRun | None = None
    if style.fingerprints is not None and isinstance(target, str):
        find = (
            style.fingerprints.longest_rhythm_run
            if side == "rhythm"
            else style.fingerprints.longest_melody_run
        )
        run = find(tune)
    elif style.fingerprints is not None and not isinstance(target, str):
        compare = (
            style.fingerprints.rhythm_run_with
            if side == "rhythm"
            else style.fingerprints.melody_run_with
        )
        run = compare(tune, target)
    return replace(
        side_result,
        rank_among=None if near is None else (near.closer_than, near.n_others),
        longest_shared_run=None if run is None else run.length,
        p95_shared_run=None if run is None else run.p95,
    )


CachedT = TypeVar("CachedT")
MOST_KEPT = 12
"""Tunes whose ladders are kept. One of 100 notes takes .1 MB, one of 1,500 some 4 MB."""


class StyleTransfer:
    """Changes given tunes, and keeps the ladders of the last ones."""

    def __init__(self, styles: Mapping[str, Style]) -> None:
        self._styles = styles
        self._targets: LruCache[RhythmTarget] = LruCache()
        self._rhythm_paths: LruCache[tuple[RhythmTarget, RhythmPath]] = LruCache()
        self._pitch_paths: LruCache[tuple[PitchTarget, PitchPath]] = LruCache()

    def transfer(
        self,
        request: Transfer,
        readings: Mapping[str, ParsedScore],
        tell: Callable[[float], None],
    ) -> Composition:
        """Change an uploaded tune.

        Raises:
            BadOption: when the request names what there is not.
            NoSuchTune: when the target has no rhythm for most of the tune's bars.
            TooLong: when it would last too long in its new meter.
        """
        source = readings[request.source]
        new, remarks, cards = source.melody, [*source.warnings], []
        rhythm_side: SideResult | None = None
        pitch_side: SideResult | None = None
        swing = 0.5
        if request.rhythm is not None:
            target, rhythm = self._rhythm_path(request, request.rhythm, readings, tell)
            cards.append(target.style.card)
            swing += (_widest_swing(target.style.card) - 0.5) * request.rhythm.strength
            rhythm_side = SideResult(0.0)
            if rhythm is not None:
                version = rhythm.at(request.rhythm.strength)
                new = version.melody
                rhythm_side = SideResult(version.changed, version.similarity)
                remarks += _warnings(request, source.melody, version, rhythm.scale)
        if request.pitch is not None:
            tongue, pitch = self._pitch_path(request, request.pitch, readings, tell)
            cards.append(tongue.style.card)
            sung = pitch.at(request.pitch.strength)
            new = _with_pitches(new, sung.melody.pitches)
            pitch_side = SideResult(sung.changed, sung.similarity)
            if pitch_side.changed:
                pitch_side = self._measure_side(
                    pitch_side, new, tongue.style, request.pitch.like, readings, "pitch"
                )
        if rhythm_side and rhythm_side.changed and request.rhythm is not None:
            rhythm_side = self._measure_side(
                rhythm_side, new, target.style, request.rhythm.like, readings, "rhythm"
            )
        return Composition(
            new,
            form="",
            swing=swing,
            program=cards[0].program if source.program is None else source.program,
            original=source.melody,
            rhythm=rhythm_side,
            pitch=pitch_side,
            repeats=count_kept_repeats(source.melody, new),
            parts=_move_parts(source.parts, source.melody, new),
            remarks=tuple(remarks),
        )

    def _measure_side(
        self,
        side_result: SideResult,
        result: Melody,
        style: Style,
        like: str | None,
        readings: Mapping[str, ParsedScore],
        side: Literal["rhythm", "pitch"],
    ) -> SideResult:
        target = None if like is None else readings[like].melody
        return measure_side(side_result, result, style, target, self._styles, side)

    def _rhythm_path(
        self,
        request: Transfer,
        side: Side,
        readings: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> tuple[RhythmTarget, RhythmPath | None]:
        """The target, and the ladder to it; none for a tune that is to stay as it is."""
        melody = readings[request.source].melody
        if side.like is not None:
            like = readings[side.like].melody
            target = self._targets.get(
                (like, melody.key), lambda: target_like(like, self._styles, melody.key)
            )
        else:
            like = None
            target = target_of(self._styles[side.style or ""], melody.key, self._styles)
        meter = _requested_meter(request, melody, target)
        if side.strength == 0 and meter is None:
            return target, None
        _check_length(melody, meter or target.meter_for(melody.meter))
        asked = melody, side.style, like, request.seed, meter, request.keep_bars
        return self._rhythm_paths.get(
            asked,
            lambda: (
                target,
                build_rhythm_path(
                    melody,
                    target,
                    seed=request.seed,
                    meter=meter,
                    keep=parse_bar_ranges(request.keep_bars, melody.bar_count),
                    tell=on_progress,
                ),
            ),
        )

    def _pitch_path(
        self,
        request: Transfer,
        side: Side,
        readings: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> tuple[PitchTarget, PitchPath]:
        melody = readings[request.source].melody
        if side.like is not None:
            like = readings[side.like].melody
            tongue = tongue_like(like, self._styles)
        else:
            like = None
            tongue = tongue_of(side.style or "", self._styles)
        asked = melody, side.style, like, request.seed, request.keep_bars
        return self._pitch_paths.get(
            asked,
            lambda: (
                tongue,
                build_pitch_path(
                    melody,
                    tongue,
                    seed=request.seed,
                    keep=parse_bar_ranges(request.keep_bars, melody.bar_count),
                    tell=on_progress,
                ),
            ),
        )


class LruCache(Generic[CachedT]):
    """The last things that were made, by what they were made of."""

    def __init__(self) -> None:
        self._items: OrderedDict[Hashable, CachedT] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], CachedT]) -> CachedT:
        """Return what was made of this, or make it."""
        if key not in self._items:
            self._items[key] = make()
            if len(self._items) > MOST_KEPT:
                self._items.popitem(last=False)
        self._items.move_to_end(key)
        return self._items[key]


def _with_pitches(melody: Melody, pitches: Sequence[int]) -> Melody:
    notes = zip(melody.notes, pitches, strict=True)
    return replace(melody, notes=tuple(replace(note, pitch=pitch) for note, pitch in notes))


def _widest_swing(card: StyleCard) -> float:
    return max((played.swing for played in card.meters.values()), default=0.5)


def combine_scores(pitch_score: ParsedScore, rhythm_score: ParsedScore) -> Composition:
    """Join the pitches of one uploaded tune and the rhythm of another.

    Raises:
        NoSuchTune: when the second has no bars that the notes of the first fit into.
        TooLong: when it would last too long in the bars and the tempo of the second.
    """
    _check_length(
        replace(pitch_score.melody, tempo=rhythm_score.melody.tempo), rhythm_score.melody.meter
    )
    joined = combine(pitch_score.melody, rhythm_score.melody)
    remarks = [*pitch_score.warnings, *rhythm_score.warnings]
    if joined.adapted:
        remarks.append(
            f"{round(100 * joined.adapted)} % of the notes stand in bars that had to be fitted to "
            "their number."
        )
    return Composition(
        joined.melody,
        form="",
        swing=0.5,
        program=0 if pitch_score.program is None else pitch_score.program,
        original=pitch_score.melody if joined.melody.meter == pitch_score.melody.meter else None,
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _requested_meter(request: Transfer, melody: Melody, target: RhythmTarget) -> Meter | None:
    if request.meter is None:
        return None
    meter = Meter.parse(request.meter)
    if not target.supports_meter(meter):
        known = ", ".join(target.style.card.meters)
        raise BadOption("meter", meter, f"{target.name} has the meters {known}")
    return meter


def _check_length(melody: Melody, meter: Meter) -> None:
    seconds = float(melody.bar_count * meter.bar_length) * 60 / melody.tempo
    if seconds > Limits().seconds:
        raise TooLong(f"{seconds:.0f} seconds in {meter}", f"{Limits().seconds:.0f} seconds")


def _warnings(
    request: Transfer, melody: Melody, result: Rerhythmed, scale: Fraction
) -> tuple[str, ...]:
    remarks = []
    if result.melody.meter != melody.meter and request.meter is None:
        remarks.append(
            f"The target has no {melody.meter}; every bar became one of {result.melody.meter}."
        )
    if result.unplayable:
        bars = "1 bar stays" if result.unplayable == 1 else f"{result.unplayable} bars stay"
        remarks.append(f"{bars} as written: the style plays other numbers of notes there.")
    if scale != 1:
        remarks.append(
            "The style never has so many notes in a bar: each bar became two of its bars, twice as "
            "fast."
        )
    return tuple(remarks)


def _move_parts(parts: tuple[Part, ...], before: Melody, after: Melody) -> tuple[Part, ...]:
    """The other parts, bar by bar under the bars of the new meter."""
    old, new = before.barlines, after.barlines
    if old == new:
        return parts

    def move(time: Fraction) -> Fraction:
        bar = min(max(bisect_right(old, time) - 1, 0), before.bar_count - 1)
        mapped = time_map(before.meter_at(bar), after.meter_at(bar))
        return new[bar] + mapped(time - old[bar])

    return tuple(
        replace(
            part,
            notes=tuple(
                replace(
                    note,
                    onset=move(note.onset),
                    duration=move(note.onset + note.duration) - move(note.onset),
                )
                for note in part.notes
            ),
        )
        for part in parts
    )
