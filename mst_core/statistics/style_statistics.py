"""What the tunes of a corpus do, counted: rhythms in the bar, cadences, keys, range, repeats.

Composing keeps to these habits, so that no tune has a rhythm that no player of the style would
write. They are measured once, by training, and lie in the style's folder as ``habits.json``.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import DurationDictionary, interval_token
from mst_core.errors import BrokenStyle
from mst_core.statistics.repetition import observe_returns

# How the melodies of a corpus move: which interval follows which, on which degrees of the key.

Steps = tuple[tuple[int, int, int], ...]
"""(interval token, next interval token, how often)."""


def observe_steps(tunes: Sequence[CorpusTune], fewest: int) -> Steps:
    """Count pairs of intervals in a row, rests left out; what is rarer than ``fewest`` too."""
    counts: Counter[tuple[int, int]] = Counter()
    for tune in tunes:
        pitches = [event.pitch for event in tune.events if event.pitch is not None]
        tokens = [interval_token(after - before) for before, after in pairwise(pitches)]
        counts.update(pairwise(tokens))
    return tuple((*step, count) for step, count in sorted(counts.items()) if count >= fewest)


def observe_degrees(tunes: Sequence[CorpusTune]) -> dict[str, tuple[int, ...]]:
    """Count pitches by semitones above the tonic, in keys with a major and with a minor third."""
    counts = {"major": [0] * 12, "minor": [0] * 12}
    for tune in tunes:
        if tune.key is None:
            continue
        row = counts["minor" if tune.key.minor else "major"]
        for event in tune.events:
            if event.pitch is not None:
                row[(event.pitch - tune.key.tonic) % 12] += 1
    return {mode: tuple(row) for mode, row in counts.items() if any(row)}


HABITS = "habits.json"
WINDOW = 64
"""Notes: about eight bars, as long as a listener keeps in mind."""
FEWEST = 3
"""A rhythm seen less often than this in a meter counts as an accident."""

Counts = dict[str, int]


class Rhythm(msgspec.Struct, frozen=True, array_like=True):
    """So often an event began at this place in the bar and lasted this long, both in ticks."""

    place: int
    ticks: int
    notes: int
    rests: int


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """So often an event that began at this place of the bar was followed by such another one."""

    place: int
    ticks: int
    rest: bool
    next_ticks: int
    next_rest: bool
    count: int


class MeterHabits(msgspec.Struct, frozen=True):
    """Habits of one meter."""

    tunes: int
    bars: int
    rhythms: tuple[Rhythm, ...]
    endings: dict[int, int]
    """Place in the bar where the last note of a tune began, and how often."""
    notes_a_bar: tuple[float, float, float]
    """The 10th, 50th and 90th percentile over tunes."""
    pickups: dict[int, int] = {}
    """Lengths of pickups in ticks, 0 for none, and how many tunes begin with them."""
    turns: tuple[Turn, ...] = ()
    """Two events in a row; none in the habits of an older training."""
    variety: float | None = None
    """Entropy of the note values in bits, the mean over windows of `WINDOW` notes."""


class Habits(msgspec.Struct, frozen=True):
    """Habits of a style."""

    meters: dict[str, MeterHabits]
    keys: dict[str, int]
    """Names of keys as ``D major``, and how many tunes stand in them."""
    lowest: int
    highest: int
    """MIDI numbers: all but one note in a hundred lies between, at either end."""
    intervals: tuple[int, ...]
    """Counts by interval token."""
    final_degrees: tuple[int, ...]
    """Counts of the last pitch, in semitones above the tonic."""
    repeats: float
    """Share of tunes that play a two-bar phrase again, note for note."""
    steps: Steps = ()
    """Which interval follows which."""
    degrees: dict[str, tuple[int, ...]] = {}
    """Counts of pitches by semitones above the tonic, for ``major`` and ``minor`` keys."""
    returns: dict[str, int] = {}
    """Which bars return (`mst_core.statistics.repetition`), and in how many tunes so."""

    def save(self, folder: Path) -> None:
        """Write them into a style's folder."""
        (folder / HABITS).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=0))

    @classmethod
    def load(cls, folder: Path) -> Habits:
        """Read them from a style's folder. Raises BrokenStyle."""
        try:
            return msgspec.json.decode((folder / HABITS).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise BrokenStyle(folder.name, f"{HABITS}: {error}") from error


def observe(
    tunes: Sequence[CorpusTune], durations: DurationDictionary, *, fewest: int = FEWEST
) -> Habits:
    """Count the habits of a corpus; a rhythm seen less often than ``fewest`` is left out."""
    known = set(durations.ticks)
    rhythms: dict[str, Counter[tuple[int, int, bool]]] = defaultdict(Counter)
    varieties: dict[str, list[float]] = defaultdict(list)
    turns: dict[str, Counter[tuple[int, int, bool, int, bool]]] = defaultdict(Counter)
    endings: dict[str, Counter[int]] = defaultdict(Counter)
    densities: dict[str, list[float]] = defaultdict(list)
    pickups: dict[str, Counter[int]] = defaultdict(Counter)
    bars: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    pitches: Counter[int] = Counter()
    intervals = [0] * 26
    finals = [0] * 12
    for tune in tunes:
        meter = str(tune.meter)
        last: int | None = None
        for event, after in pairwise(tune.events):
            turns[meter][event.onset % tune.bar_ticks, event.duration, event.pitch is None,
                         after.duration, after.pitch is None] += 1  # fmt: skip
        for event in tune.events:
            place = event.onset % tune.bar_ticks
            if event.duration in known:
                rhythms[meter][place, event.duration, event.pitch is None] += 1
            if event.pitch is None:
                intervals[25] += 1
                continue
            pitches[event.pitch] += 1
            if last is not None:
                intervals[interval_token(event.pitch - last)] += 1
            last = event.pitch
        sounding = [event for event in tune.events if event.pitch is not None]
        if not sounding:
            continue
        varieties[meter] += variety([event.duration for event in sounding])
        endings[meter][sounding[-1].onset % tune.bar_ticks] += 1
        pickups[meter][max(0, -sounding[0].onset)] += 1
        densities[meter].append(len(sounding) / len(tune.barlines))
        bars[meter] += len(tune.barlines)
        if tune.key:
            keys[tune.key.name] += 1
            finals[((sounding[-1].pitch or 0) - tune.key.tonic) % 12] += 1
    return Habits(
        meters={
            meter: MeterHabits(
                tunes=len(densities[meter]),
                bars=bars[meter],
                rhythms=_rhythms(rhythms[meter], fewest),
                endings=dict(endings[meter].most_common(6)),
                notes_a_bar=_percentiles(densities[meter]),
                pickups=dict(pickups[meter].most_common(4)),
                turns=tuple(
                    Turn(*turn, count)
                    for turn, count in sorted(turns[meter].items())
                    if count >= fewest
                ),
                variety=round(sum(varieties[meter]) / len(varieties[meter]), 3),
            )
            for meter in sorted(densities, key=lambda name: -len(densities[name]))
        },
        keys=dict(keys.most_common()),
        lowest=_percentile(pitches, 0.01),
        highest=_percentile(pitches, 0.99),
        intervals=tuple(intervals),
        final_degrees=tuple(finals),
        repeats=sum(map(repeats_a_phrase, tunes)) / max(len(tunes), 1),
        steps=observe_steps(tunes, fewest),
        degrees=observe_degrees(tunes),
        returns=observe_returns(tunes),
    )


def pool(meters: Sequence[MeterHabits]) -> MeterHabits:
    """The habits of meters with equal bars as those of one."""
    rhythms: Counter[tuple[int, int, bool]] = Counter()
    turns: Counter[tuple[int, int, bool, int, bool]] = Counter()
    endings: Counter[int] = Counter()
    for habits in meters:
        for rhythm in habits.rhythms:
            rhythms[rhythm.place, rhythm.ticks, False] += rhythm.notes
            rhythms[rhythm.place, rhythm.ticks, True] += rhythm.rests
        for turn in habits.turns:
            turns[turn.place, turn.ticks, turn.rest, turn.next_ticks, turn.next_rest] += turn.count
        endings.update(habits.endings)
    bars = sum(habits.bars for habits in meters)

    def mean(of: Callable[[MeterHabits], float]) -> float:
        return sum(habits.bars * of(habits) for habits in meters) / max(1, bars)

    known = all(habits.variety is not None for habits in meters)
    return MeterHabits(
        tunes=sum(habits.tunes for habits in meters),
        bars=bars,
        rhythms=_rhythms(rhythms, 1),
        endings=dict(endings.most_common()),
        notes_a_bar=(
            mean(lambda habits: habits.notes_a_bar[0]),
            mean(lambda habits: habits.notes_a_bar[1]),
            mean(lambda habits: habits.notes_a_bar[2]),
        ),
        turns=tuple(Turn(*turn, count) for turn, count in sorted(turns.items())),
        variety=mean(lambda habits: habits.variety or 0.0) if known else None,
    )


def _rhythms(counts: Counter[tuple[int, int, bool]], fewest: int) -> tuple[Rhythm, ...]:
    pairs = sorted({(place, ticks) for place, ticks, _ in counts})
    found = (
        Rhythm(place, ticks, counts[place, ticks, False], counts[place, ticks, True])
        for place, ticks in pairs
    )
    return tuple(rhythm for rhythm in found if rhythm.notes + rhythm.rests >= fewest)


def _percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    rising = sorted(values)
    low, middle, high = (rising[int(share * (len(rising) - 1))] for share in (0.1, 0.5, 0.9))
    return round(low, 2), round(middle, 2), round(high, 2)


def _percentile(counts: Counter[int], share: float) -> int:
    rest = share * counts.total()
    for value in sorted(counts):
        rest -= counts[value]
        if rest <= 0:
            return value
    return max(counts)


def variety(durations: Sequence[int]) -> list[float]:
    """Entropy of the note values in each whole window, in bits; of all when they fill none."""
    found = []
    for start in range(0, max(1, len(durations) - WINDOW + 1), WINDOW):
        counts = Counter(durations[start : start + WINDOW])
        shares = [count / counts.total() for count in counts.values()]
        found.append(-sum(share * math.log2(share) for share in shares))
    return found


def repeats_a_phrase(tune: CorpusTune, bars: int = 2) -> bool:
    """Whether some phrase of so many bars comes back note for note, from a barline to a barline."""
    length = bars * tune.bar_ticks
    seen: set[tuple[tuple[int | None, int, int], ...]] = set()
    at = {start: index for index, start in enumerate(tune.barlines)}
    phrases: dict[int, list[tuple[int | None, int, int]]] = {start: [] for start in at}
    for event in tune.events:
        for start in range(event.onset - event.onset % tune.bar_ticks - length + tune.bar_ticks,
                           event.onset + 1, tune.bar_ticks):  # fmt: skip
            if start in phrases:
                phrases[start].append((event.pitch, event.onset - start, event.duration))
    for notes in phrases.values():
        if len(notes) < 4:
            continue
        whole = tuple(notes)
        if whole in seen:
            return True
        seen.add(whole)
    return False
