"""A given tune with another rhythm, and with all that came in its file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from mst_core.composing.composition import Composition
from mst_core.composing.mashup import mash
from mst_core.composing.rerhythm import Rerhythmed, rerhythm
from mst_core.composing.target import target_like, target_of
from mst_core.errors import BadOption, TooLong
from mst_core.jobs import Restyle
from mst_core.music import Melody, Meter, Part
from mst_core.networks.style import Style
from mst_core.requests import parse_bars
from mst_core.score.reading import Limits, Reading


def write_rerhythm(
    request: Restyle,
    readings: Mapping[str, Reading],
    styles: Mapping[str, Style],
    tell: Callable[[float], None],
) -> Composition:
    """Give an uploaded tune the rhythm of a style, or of one other tune.

    Raises:
        BadOption: when the request names what there is not.
        NoSuchTune: when the target has no rhythm for most of the tune's bars.
    """
    source = readings[request.source]
    melody = source.melody
    if request.like is not None:
        target = target_like(readings[request.like].melody, styles, melody.key)
    else:
        target = target_of(styles[request.rhythm or ""], melody.key)
    meter = None if request.meter is None else Meter.parse(request.meter)
    if meter is not None and target.meter_for(meter) != meter:
        known = ", ".join(target.style.card.meters)
        raise BadOption("meter", meter, f"the rhythms of {target.name} are {known}")
    if meter is not None:
        _check_length(melody, meter)
    result = rerhythm(
        melody,
        target,
        seed=request.seed,
        strength=request.strength,
        meter=meter,
        keep=parse_bars(request.keep_bars, melody.bars),
        tell=tell,
    )
    card = target.style.card
    swing = max((played.swing for played in card.meters.values()), default=0.5)
    return Composition(
        result.melody,
        form="",
        swing=0.5 + (swing - 0.5) * request.strength,
        program=card.program if source.program is None else source.program,
        before=melody,
        changed=result.changed,
        parts=_moved(source.parts, melody, result.melody),
        remarks=(*source.remarks, *_remarks(request, melody, result)),
    )


def write_mashup(pitched: Reading, rhythmic: Reading) -> Composition:
    """Join the pitches of one uploaded tune and the rhythm of another.

    Raises:
        NoSuchTune: when the second has no bars that the notes of the first fit into.
    """
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


def _check_length(melody: Melody, meter: Meter) -> None:
    seconds = float(melody.bars * meter.bar) * 60 / melody.tempo
    if seconds > Limits().seconds:
        raise TooLong(f"{seconds:.0f} seconds in {meter}", f"{Limits().seconds:.0f} seconds")


def _remarks(request: Restyle, melody: Melody, result: Rerhythmed) -> tuple[str, ...]:
    remarks = []
    if result.melody.meter != melody.meter and request.meter is None:
        remarks.append(
            f"The style has no {melody.meter}; every bar became one of {result.melody.meter}."
        )
    if result.kept:
        bars = "1 bar stays" if result.kept == 1 else f"{result.kept} bars stay"
        remarks.append(f"{bars} as written: the style plays other numbers of notes there.")
    return tuple(remarks)


def _moved(parts: tuple[Part, ...], before: Melody, after: Melody) -> tuple[Part, ...]:
    """The other parts, bar by bar under the bars of the new meter."""
    old, new = before.barlines, after.barlines
    if old == new:
        return parts

    def move(time: Fraction) -> Fraction:
        bar = min(max(bisect_right(old, time) - 1, 0), before.bars - 1)
        scale = (new[bar + 1] - new[bar]) / (old[bar + 1] - old[bar])
        return new[bar] + (time - old[bar]) * scale

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
