"""Neighbours: what real tunes of a style look like from afar, to say how near a result is.

A profile counts what a tune does, without its order. Of rhythm: how many notes begin at a place of
the bar and last so long. Of melody: how many intervals are of a size, folded into an octave up or
down. A style keeps the profiles of up to 50 of its tunes in each meter, and those of all its tunes
together. Distance is half the sum of differences between shares: 0 alike, 1 nothing in common.

"Closer than N of 50" means one of two things:

* The target is one tune: of 50 other real tunes of the meter, N are farther from the result than
  the target is. Chance gives 25, and a tune that has nothing of the target may get 0.
* The target is a style: of 50 real tunes of the *other* styles in that meter, N are farther from
  the target style's tunes taken together than the result is. A stranger gets 25 on average; of
  real jazz tunes that training never saw half get 50, three in four at least 40. The style's own
  tunes are no yardstick: to be nearer to the mean of jazz than jazz itself is no virtue.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import fold_to_octave
from mst_core.errors import BadOption, BrokenStyle
from mst_core.music import Meter

PROFILES_FILE = "neighbours.json"
MAX_SAMPLES = 50
MIN_OTHERS = 10
"""With fewer other tunes, how many of them are farther says nothing."""
MIN_NOTES = 16
"""A tune with fewer has no profile to speak of."""
POSITION_FACTOR = 10_000  # 480012 is place 48, duration 12

ProfileSide = Literal["rhythm", "pitch"]
PositiveCount = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
Histogram = dict[int, PositiveCount]
"""Counts by kind: of rhythm 10,000 times the place in the bar plus the duration, both in ticks; of
melody the interval in semitones, -12 to 12."""


class TuneProfile(msgspec.Struct, frozen=True, rename={"pitch": "melody"}):
    """Both sides of one tune, or of many together."""

    rhythm: Histogram
    pitch: Histogram


class MeterProfiles(
    msgspec.Struct, frozen=True, rename={"pooled": "together", "samples": "single"}
):
    """The tunes of one meter."""

    pooled: TuneProfile
    """Of all the style's tunes in it."""
    samples: Annotated[tuple[TuneProfile, ...], msgspec.Meta(max_length=MAX_SAMPLES)]


class ReferenceProfiles(msgspec.Struct, frozen=True):
    """The company that a style's tunes keep, by meter."""

    meters: dict[str, MeterProfiles]

    @classmethod
    def from_tunes(cls, tunes: Sequence[CorpusTune]) -> ReferenceProfiles:
        """Take profiles of a corpus; the single tunes are drawn by name, always the same."""
        found: dict[str, list[tuple[int, TuneProfile]]] = defaultdict(list)
        for tune in tunes:
            profiles = tune_profile(tune)
            if sum(profiles.rhythm.values()) >= MIN_NOTES:
                draw = zlib.crc32(tune.id.encode())
                found[str(tune.meter)].append((draw, profiles))
        return cls(
            {
                meter: MeterProfiles(
                    _pool_profiles([profiles for _, profiles in drawn]),
                    tuple(p for _, p in sorted(drawn, key=lambda pair: pair[0])[:MAX_SAMPLES]),
                )
                for meter, drawn in found.items()
            }
        )

    def for_meter(self, meter: Meter) -> MeterProfiles | None:
        """The tunes of a meter, or of one whose bar is as long and divides alike: 2/2 for 4/4."""
        if (exact := self.meters.get(str(meter))) is not None:
            return exact
        alike = [
            company for name, company in self.meters.items() if Meter.parse(name).same_bar(meter)
        ]
        return max(alike, key=lambda company: len(company.samples), default=None)

    def save(self, folder: Path) -> None:
        """Write them into a style's folder."""
        (folder / PROFILES_FILE).write_bytes(msgspec.json.encode(self))

    @classmethod
    def load(cls, folder: Path) -> ReferenceProfiles | None:
        """Read them from a style's folder; None where an older training left none.

        Raises:
            BrokenStyle: when the file is damaged.
        """
        path = folder / PROFILES_FILE
        if not path.exists():
            return None
        try:
            found = msgspec.json.decode(path.read_bytes(), type=cls)
            for name in found.meters:
                Meter.parse(name)
        except (OSError, msgspec.MsgspecError, BadOption) as error:
            raise BrokenStyle(folder.name, f"{PROFILES_FILE}: {error}") from error
        return found


@dataclass(frozen=True, slots=True)
class ProximityRank:
    """Closer to the target than ``nearer`` of ``others`` tunes."""

    closer_than: int
    n_others: int


def tune_profile(tune: CorpusTune) -> TuneProfile:
    """Count what a tune does."""
    rhythm: Counter[int] = Counter()
    pitches = [event.pitch for event in tune.events if event.pitch is not None]
    for event in tune.events:
        if event.pitch is not None:
            bar = bisect_right(tune.barlines, event.onset) - 1
            start = tune.barlines[bar] if bar >= 0 else -tune.bar_ticks
            place = max(0, event.onset - start)
            rhythm[place * POSITION_FACTOR + min(event.duration, POSITION_FACTOR - 1)] += 1
    return TuneProfile(
        dict(rhythm), dict(Counter(fold_to_octave(b - a) for a, b in pairwise(pitches)))
    )


def total_variation_distance(one: Histogram, other: Histogram) -> float:
    """Half the sum of differences between the shares of two profiles: 0 to 1."""
    ours, theirs = sum(one.values()) or 1, sum(other.values()) or 1
    kinds = one.keys() | other.keys()
    return sum(abs(one.get(k, 0) / ours - other.get(k, 0) / theirs) for k in kinds) / 2


def rank_against_tune(
    result: Histogram, target: Histogram, others: Sequence[Histogram]
) -> ProximityRank:
    """Of ``others``, count those that are farther from the result than its target is."""
    near = total_variation_distance(result, target)
    return ProximityRank(
        sum(total_variation_distance(result, other) > near for other in others), len(others)
    )


def rank_against_style(
    result: Histogram, style: Histogram, others: Sequence[Histogram]
) -> ProximityRank:
    """Of ``others``, count those that are farther from the style than the result is."""
    near = total_variation_distance(style, result)
    return ProximityRank(
        sum(total_variation_distance(style, other) > near for other in others), len(others)
    )


def sample_profiles(meter: Meter, styles: Sequence[ReferenceProfiles]) -> tuple[TuneProfile, ...]:
    """Up to 50 tunes of a meter, of several styles in turn."""
    companies = [styled.for_meter(meter) for styled in styles]
    rows = [company.samples for company in companies if company is not None]
    mixed = (tune for turn in zip_longest(*rows) for tune in turn if tune is not None)
    return tuple(mixed)[:MAX_SAMPLES]


def _pool_profiles(profiles: Sequence[TuneProfile]) -> TuneProfile:
    rhythm: Counter[int] = Counter()
    melody: Counter[int] = Counter()
    for one in profiles:
        rhythm.update(one.rhythm)
        melody.update(one.pitch)
    return TuneProfile(dict(rhythm), dict(melody))


def proximity_rank(
    result: CorpusTune,
    target: str | CorpusTune,
    styles: Mapping[str, ReferenceProfiles],
    *,
    side: ProfileSide,
) -> ProximityRank | None:
    """Say how close a result is to its target: a style by name, or one tune.

    ``side`` is ``rhythm`` or ``melody``. None where there are fewer than 10 others of the result's
    meter, or where the target style has none.
    """
    ours: Histogram = getattr(tune_profile(result), side)
    if isinstance(target, str):
        company = styles[target].for_meter(result.meter) if target in styles else None
        strangers = [styled for name, styled in styles.items() if name != target]
        others = [getattr(tune, side) for tune in sample_profiles(result.meter, strangers)]
        if company is None or len(others) < MIN_OTHERS:
            return None
        return rank_against_style(ours, getattr(company.pooled, side), others)
    theirs: Histogram = getattr(tune_profile(target), side)
    all_styles = [*styles.values()]
    others = [getattr(tune, side) for tune in sample_profiles(result.meter, all_styles)]
    return rank_against_tune(ours, theirs, others) if len(others) >= MIN_OTHERS else None
