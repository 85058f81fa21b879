"""A melody written as MIDI, MusicXML and ABC, and what comes back from each of the three."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import NamedTuple

from mst_core.music import Key, Melody, Meter, MeterChange, Note, Repeat
from mst_core.notation.abc import write_abc
from mst_core.notation.midi import write_midi
from mst_core.notation.musicxml import write_musicxml
from mst_core.reading.load import load_score


class Readings(NamedTuple):
    """The melodies of three files of one piece."""

    midi: Melody
    musicxml: Melody
    abc: Melody


def write_and_read(tune: Melody) -> Readings:
    """Write a melody in each format and read the three files."""
    return read_files(write_midi(tune, program=0), write_musicxml(tune), write_abc(tune).encode())


def read_files(midi: bytes, musicxml: bytes, abc: bytes) -> Readings:
    """Read three files of one piece."""
    files = {"tune.mid": midi, "tune.musicxml": musicxml, "tune.abc": abc}
    return Readings(*(load_score(name, data).melody for name, data in files.items()))


def bars_and_notes(tune: Melody) -> dict[str, object]:
    """What all three formats say: notes, bars, meters and tempo.

    MIDI has no repeats and no sections: a repeated section stands there once, as it is written.
    """
    return {
        "notes": tune.notes,
        "bars": tune.bar_count,
        "meter": tune.meter,
        "meter changes": tune.meter_changes,
        "tempo": round(tune.tempo, 3),
    }


def form(tune: Melody) -> dict[str, object]:
    """What ABC and MusicXML say besides: repeats with their endings, sections, and the key.

    MIDI knows a key of another mode than major and minor by its signature only.
    """
    return {"repeats": tune.repeats, "sections": tune.sections, "key": tune.key}


_METERS = ("4/4", "3/4", "6/8", "2/4", "9/8", "12/8", "2/2", "5/4", "7/8")
_BEATS = (
    # Durations within a beat of a quarter, in ticks: straight, dotted, in triplets.
    (24,), (12, 12), (18, 6), (6, 6, 12), (8, 8, 8), (16, 8), (6, 6, 6, 6),
)  # fmt: skip
_COMPOUND_BEATS = ((36,), (24, 12), (12, 12, 12), (12, 24), (18, 6, 12), (6, 6, 12, 12))


def make_piece(seed: int) -> Melody:
    """Make a piece of 8 or 16 bars: pickups, rests, repeats, endings, triplets, other meters."""
    random = Random(seed)
    meter = Meter.parse(_METERS[seed % len(_METERS)])
    bars = random.choice((8, 16))
    tune = Melody((), meter, Key(random.randrange(12), random.choice(("major", "minor"))), 96, bars)
    pickup = random.choice((0, 0, 12, 24)) if meter.bar_length > 2 else random.choice((0, 12))
    if seed % 4 == 3:
        other = Meter.parse(random.choice([each for each in _METERS if each != str(meter)]))
        tune = replace(
            tune, meter_changes=(MeterChange(4, other), MeterChange(8, meter))[: bars // 8]
        )
    else:
        tune = replace(tune, repeats=_make_repeats(random, bars, Fraction(pickup, 24)))
    edges = {
        each
        for repeat in tune.repeats
        for each in (repeat.start, repeat.second_ending or repeat.end)
    }
    # After a first ending the pickup of the repeat follows: there is silence in its bar.
    silent = [
        (int(tune.barlines[repeat.end] * 24) - pickup, int(tune.barlines[repeat.end] * 24))
        for repeat in tune.repeats
        if repeat.first_ending is not None
    ]
    ends = [int(tune.barlines[bar] * 24) - pickup for bar in sorted(edges - {0})]
    ends += [each for span in silent for each in span]
    notes: list[Note] = []
    now, end, pitch = -pickup, int(tune.length * 24) - pickup, 62 + tune.key.tonic
    while now < end:
        bar = bisect_right(tune.barlines, Fraction(now, 24)) - 1
        compound = tune.meter_at(max(0, bar)).is_compound
        for ticks in random.choice(_COMPOUND_BEATS if compound else _BEATS):
            # A note never lasts into the pickup of the next section.
            stop = min([each for each in (*ends, end) if each > now], default=end)
            ticks = min(ticks, stop - now)
            rests = any(start <= now < end_of_rest for start, end_of_rest in silent)
            rests = rests or (bool(notes) and random.random() < 0.08)
            if ticks > 0 and not rests:
                pitch += random.choice((-4, -2, -1, 1, 2, 4, 0))
                pitch = min(84, max(55, pitch))
                notes.append(Note(Fraction(now, 24), Fraction(ticks, 24), pitch))
            now += ticks
    return replace(tune, notes=tuple(notes), sections=(0, *sorted(edges - {0, bars})))


def _make_repeats(random: Random, bars: int, pickup: Fraction) -> tuple[Repeat, ...]:
    """Repeat every eight bars or some of them, with or without endings."""
    repeats: list[Repeat] = []
    for start in range(0, bars, 8):
        kind = random.choice(("plain", "endings", "none"))
        if kind == "plain":
            repeats.append(Repeat(start, start + 8, lead_in=pickup, lead_out=pickup))
        elif kind == "endings":
            repeats.append(Repeat(start, start + 7, start + 6, start + 8, pickup, pickup))
    return tuple(repeats)
