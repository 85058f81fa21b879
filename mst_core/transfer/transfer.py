"""A given tune changed: another rhythm, another melody language or both, and all that came with it.

The ladders of a tune are kept for a while, so that another strength of it costs next to nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Generic, Literal, TypeVar

from mst_core.errors import BadOption, TooLong
from mst_core.generation.composition import Composition
from mst_core.jobs import Restyle, parse_bars
from mst_core.music import Melody, Meter, Part
from mst_core.networks.style import Style
from mst_core.reading.parsed_score import Limits, Reading
from mst_core.statistics.reference_profiles import closeness
from mst_core.statistics.shared_runs import Run
from mst_core.styles import StyleCard
from mst_core.transfer.mashup import mash
from mst_core.transfer.meter_map import time_map
from mst_core.transfer.pitch import (
    PitchLadder,
    Tongue,
    build_pitch_ladder,
    tongue_like,
    tongue_of,
)
from mst_core.transfer.rhythm import Rerhythmed, RhythmLadder, build_ladder
from mst_core.transfer.structure import kept_repeats
from mst_core.transfer.target import Target, as_corpus_tune, target_like, target_of

# What can be said of a changed tune: how near its target is, and what it shares with it.


@dataclass(frozen=True, slots=True)
class Account:
    """Figures for the receipt; None is what cannot be told."""

    closer_than: tuple[int, int] | None = None
    """Nearer to the target than so many of so many other tunes."""
    longest_copy: int | None = None
    """Notes in a row that it shares with a tune of the style, or with the target tune."""
    usual_copy: int | None = None
    """What unrelated tunes share at the most, nineteen times in twenty."""


def account_of(
    result: Melody,
    style: Style,
    like: Melody | None,
    styles: Mapping[str, Style],
    side: Literal["rhythm", "melody"],
) -> Account:
    """Hold a result against its target: one tune, or a style."""
    tune = as_corpus_tune(result)
    target = style.name if like is None else as_corpus_tune(like)
    known = {name: other.neighbours for name, other in styles.items() if other.neighbours}
    near = closeness(tune, target, known, side=side)
    run: Run | None = None
    if style.echoes is not None and isinstance(target, str):
        find = style.echoes.longest_rhythm if side == "rhythm" else style.echoes.longest_melody
        run = find(tune)
    elif style.echoes is not None and not isinstance(target, str):
        compare = (
            style.echoes.longest_rhythm_of_two
            if side == "rhythm"
            else style.echoes.longest_melody_of_two
        )
        run = compare(tune, target)
    return Account(
        None if near is None else (near.nearer, near.others),
        None if run is None else run.length,
        None if run is None else run.usual,
    )


Thing = TypeVar("Thing")
MOST_KEPT = 12
"""Tunes whose ladders are kept. One of 100 notes takes .1 MB, one of 1,500 some 4 MB."""


class Changing:
    """Changes given tunes, and keeps the ladders of the last ones."""

    def __init__(self, styles: Mapping[str, Style]) -> None:
        self._styles = styles
        self._targets: _Kept[Target] = _Kept()
        self._rhythms: _Kept[tuple[Target, RhythmLadder]] = _Kept()
        self._pitches: _Kept[tuple[Tongue, PitchLadder]] = _Kept()

    def write(
        self,
        request: Restyle,
        readings: Mapping[str, Reading],
        tell: Callable[[float], None],
    ) -> Composition:
        """Change an uploaded tune.

        Raises:
            BadOption: when the request names what there is not.
            NoSuchTune: when the target has no rhythm for most of the tune's bars.
            TooLong: when it would last too long in its new meter.
        """
        source = readings[request.source]
        new, remarks, cards = source.melody, [*source.remarks], []
        changed = repitched = closeness = pitch_closeness = None
        account = Account()
        swing = 0.5
        if request.rhythm is not None or request.like is not None:
            target, rhythm = self._rhythm(request, readings, tell)
            cards.append(target.style.card)
            swing += (_swing(target.style.card) - 0.5) * request.strength
            changed = 0.0
            if rhythm is not None:
                version = rhythm.at(request.strength)
                new, changed = version.melody, version.changed
                closeness = version.closeness
                remarks += _remarks(request, source.melody, version, rhythm.scale)
        if request.pitch is not None or request.pitch_like is not None:
            tongue, pitch = self._pitch(request, readings, tell)
            cards.append(tongue.style.card)
            sung = pitch.at(request.pitch_strength)
            new, repitched = _with_pitches(new, sung.melody.pitches), sung.changed
            pitch_closeness = sung.closeness
            if repitched:
                account = self._account(new, tongue.style, request.pitch_like, readings, "melody")
        if changed:
            account = self._account(new, target.style, request.like, readings, "rhythm")
        return Composition(
            new,
            form="",
            swing=swing,
            program=cards[0].program if source.program is None else source.program,
            before=source.melody,
            changed=changed,
            closeness=closeness,
            pitch_closeness=pitch_closeness,
            repitched=repitched,
            repeats=kept_repeats(source.melody, new),
            closer_than=account.closer_than,
            longest_copy=account.longest_copy,
            usual_copy=account.usual_copy,
            parts=_moved(source.parts, source.melody, new),
            remarks=tuple(remarks),
        )

    def _account(
        self,
        result: Melody,
        style: Style,
        like: str | None,
        readings: Mapping[str, Reading],
        side: Literal["rhythm", "melody"],
    ) -> Account:
        target = None if like is None else readings[like].melody
        return account_of(result, style, target, self._styles, side)

    def _rhythm(
        self, request: Restyle, readings: Mapping[str, Reading], tell: Callable[[float], None]
    ) -> tuple[Target, RhythmLadder | None]:
        """The target, and the ladder to it; none for a tune that is to stay as it is."""
        melody = readings[request.source].melody
        if request.like is not None:
            like = readings[request.like].melody
            target = self._targets.get(
                (like, melody.key), lambda: target_like(like, self._styles, melody.key)
            )
        else:
            like = None
            target = target_of(self._styles[request.rhythm or ""], melody.key, self._styles)
        meter = _asked_meter(request, melody, target)
        if request.strength == 0 and meter is None:
            return target, None
        _check_length(melody, meter or target.meter_for(melody.meter))
        asked = melody, request.rhythm, like, request.seed, meter, request.keep_bars
        return self._rhythms.get(
            asked,
            lambda: (
                target,
                build_ladder(
                    melody,
                    target,
                    seed=request.seed,
                    meter=meter,
                    keep=parse_bars(request.keep_bars, melody.bars),
                    tell=tell,
                ),
            ),
        )

    def _pitch(
        self, request: Restyle, readings: Mapping[str, Reading], tell: Callable[[float], None]
    ) -> tuple[Tongue, PitchLadder]:
        melody = readings[request.source].melody
        if request.pitch_like is not None:
            like = readings[request.pitch_like].melody
            tongue = tongue_like(like, self._styles)
        else:
            like = None
            tongue = tongue_of(request.pitch or "", self._styles)
        asked = melody, request.pitch, like, request.seed, request.keep_bars
        return self._pitches.get(
            asked,
            lambda: (
                tongue,
                build_pitch_ladder(
                    melody,
                    tongue,
                    seed=request.seed,
                    keep=parse_bars(request.keep_bars, melody.bars),
                    tell=tell,
                ),
            ),
        )


class _Kept(Generic[Thing]):
    """The last things that were made, by what they were made of."""

    def __init__(self) -> None:
        self._things: OrderedDict[Hashable, Thing] = OrderedDict()

    def get(self, made_of: Hashable, make: Callable[[], Thing]) -> Thing:
        """Return what was made of this, or make it."""
        if made_of not in self._things:
            self._things[made_of] = make()
            if len(self._things) > MOST_KEPT:
                self._things.popitem(last=False)
        self._things.move_to_end(made_of)
        return self._things[made_of]


def _with_pitches(melody: Melody, pitches: Sequence[int]) -> Melody:
    notes = zip(melody.notes, pitches, strict=True)
    return replace(melody, notes=tuple(replace(note, pitch=pitch) for note, pitch in notes))


def _swing(card: StyleCard) -> float:
    return max((played.swing for played in card.meters.values()), default=0.5)


def write_mashup(pitched: Reading, rhythmic: Reading) -> Composition:
    """Join the pitches of one uploaded tune and the rhythm of another.

    Raises:
        NoSuchTune: when the second has no bars that the notes of the first fit into.
        TooLong: when it would last too long in the bars and the tempo of the second.
    """
    _check_length(replace(pitched.melody, tempo=rhythmic.melody.tempo), rhythmic.melody.meter)
    joined = mash(pitched.melody, rhythmic.melody)
    remarks = [*pitched.remarks, *rhythmic.remarks]
    if joined.fitted:
        remarks.append(
            f"{round(100 * joined.fitted)} % of the notes stand in bars that had to be fitted to "
            "their number."
        )
    return Composition(
        joined.melody,
        form="",
        swing=0.5,
        program=0 if pitched.program is None else pitched.program,
        before=pitched.melody if joined.melody.meter == pitched.melody.meter else None,
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _asked_meter(request: Restyle, melody: Melody, target: Target) -> Meter | None:
    if request.meter is None:
        return None
    meter = Meter.parse(request.meter)
    if not target.plays(meter):
        known = ", ".join(target.style.card.meters)
        raise BadOption("meter", meter, f"{target.name} has the meters {known}")
    return meter


def _check_length(melody: Melody, meter: Meter) -> None:
    seconds = float(melody.bars * meter.bar) * 60 / melody.tempo
    if seconds > Limits().seconds:
        raise TooLong(f"{seconds:.0f} seconds in {meter}", f"{Limits().seconds:.0f} seconds")


def _remarks(
    request: Restyle, melody: Melody, result: Rerhythmed, scale: Fraction
) -> tuple[str, ...]:
    remarks = []
    if result.melody.meter != melody.meter and request.meter is None:
        remarks.append(
            f"The target has no {melody.meter}; every bar became one of {result.melody.meter}."
        )
    if result.kept:
        bars = "1 bar stays" if result.kept == 1 else f"{result.kept} bars stay"
        remarks.append(f"{bars} as written: the style plays other numbers of notes there.")
    if scale != 1:
        remarks.append(
            "The style never has so many notes in a bar: each bar became two of its bars, twice as "
            "fast."
        )
    return tuple(remarks)


def _moved(parts: tuple[Part, ...], before: Melody, after: Melody) -> tuple[Part, ...]:
    """The other parts, bar by bar under the bars of the new meter."""
    old, new = before.barlines, after.barlines
    if old == new:
        return parts

    def move(time: Fraction) -> Fraction:
        bar = min(max(bisect_right(old, time) - 1, 0), before.bars - 1)
        mapped = time_map(before.meter_at(bar), after.meter_at(bar))
        return new[bar] + mapped(time - old[bar])

    return tuple(
        replace(
            part,
            notes=tuple(
                replace(note, onset=move(note.onset),
                        duration=move(note.onset + note.duration) - move(note.onset))
                for note in part.notes
            ),
        )
        for part in parts
    )  # fmt: skip
