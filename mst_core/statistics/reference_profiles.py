"""Reference profiles of a style: how similar a result is to its target, compared with real tunes.

A profile is two histograms that ignore the order of notes: (onset in bar, duration) for rhythm, and
intervals folded into an octave up or down for pitch. A style folder holds the profiles of up to 50
tunes of each meter, and the pooled profile of all of them. The distance of two histograms is half
the L1 distance of their shares (total variation): 0 equal, 1 nothing in common.

"Closer than N of 50" means one of two things:

* The target is a tune: of 50 other real tunes of the meter, N are farther from the result than
  the target is. By chance N is 25; a tune that has nothing of the target may get 0.
* The target is a style: of 50 real tunes of the *other* styles in that meter, N are farther from
  the target style's pooled profile than the result is. Such a tune itself gets 25 on average;
  docs/decisions.md#closer-than has figures and the reason for the choice.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import fold_to_octave
from mst_core.errors import BadOption, BrokenStyle
from mst_core.music import Meter
from mst_core.statistics.config import StatisticsConfig
from mst_core.statistics.style_statistics import existing_file

PROFILES_FILE = "reference_profiles.json"
_OLD_FILE = "neighbours.json"  # its name up to version 0.1
MAX_SAMPLES = 50
"""Tunes of a meter whose own profiles are kept."""
POSITION_FACTOR = 10_000
"""A rhythm key is this times the onset in the bar, plus the duration, both in ticks."""

Histogram = dict[int, Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]]
"""Counts by key: for rhythm see `POSITION_FACTOR`, for pitch an interval of -12 to 12 semitones."""


class TuneProfile(msgspec.Struct, frozen=True, rename={"pitch": "melody"}):
    """Both histograms of one tune, or of many pooled."""

    rhythm: Histogram
    pitch: Histogram

    def side(self, side: Literal["rhythm", "pitch"]) -> Histogram:
        """Return the histogram of rhythm or of pitch."""
        return self.rhythm if side == "rhythm" else self.pitch


class MeterProfiles(
    msgspec.Struct, frozen=True, rename={"pooled": "together", "samples": "single"}
):
    """Profiles of a style's tunes in one meter."""

    pooled: TuneProfile
    """Of all tunes."""
    samples: Annotated[tuple[TuneProfile, ...], msgspec.Meta(max_length=MAX_SAMPLES)]
    """Of up to 50 single tunes."""


class ReferenceProfiles(msgspec.Struct, frozen=True):
    """Profiles of a style's training tunes by meter, as ``6/8``."""

    meters: dict[str, MeterProfiles]

    @classmethod
    def from_tunes(
        cls, tunes: Sequence[CorpusTune], config: StatisticsConfig = StatisticsConfig()
    ) -> ReferenceProfiles:
        """Profile a corpus; samples are drawn by a hash of the tune's id, always the same.

        Args:
            tunes: of a corpus.
            config: how many notes a tune needs.
        """
        found: dict[str, list[tuple[int, TuneProfile]]] = defaultdict(list)
        for tune in tunes:
            profile = tune_profile(tune)
            if sum(profile.rhythm.values()) >= config.min_profile_notes:
                found[str(tune.meter)].append((zlib.crc32(tune.id.encode()), profile))
        return cls(
            {
                meter: MeterProfiles(
                    _pool_profiles([profile for _, profile in drawn]),
                    tuple(p for _, p in sorted(drawn, key=lambda pair: pair[0])[:MAX_SAMPLES]),
                )
                for meter, drawn in found.items()
            }
        )

    def for_meter(self, meter: Meter) -> MeterProfiles | None:
        """Return the profiles of a meter, or of one with an equal bar, as 2/2 for 4/4."""
        if (exact := self.meters.get(str(meter))) is not None:
            return exact
        alike = [
            profiles for name, profiles in self.meters.items() if Meter.parse(name).same_bar(meter)
        ]
        return max(alike, key=lambda profiles: len(profiles.samples), default=None)

    def save(self, folder: Path) -> None:
        """Write ``reference_profiles.json`` into a style folder."""
        (folder / PROFILES_FILE).write_bytes(msgspec.json.encode(self))
        (folder / _OLD_FILE).unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> ReferenceProfiles | None:
        """Read ``reference_profiles.json``, or ``neighbours.json`` of version 0.1.

        Returns:
            None where an older training wrote neither into the style folder.

        Raises:
            BrokenStyle: when the file is damaged.
        """
        path = existing_file(folder, PROFILES_FILE, _OLD_FILE)
        if not path.exists():
            return None
        try:
            found = msgspec.json.decode(path.read_bytes(), type=cls)
            for name in found.meters:
                Meter.parse(name)
        except (OSError, msgspec.MsgspecError, BadOption) as error:
            raise BrokenStyle(folder.name, f"{path.name}: {error}") from error
        return found


def tune_profile(tune: CorpusTune) -> TuneProfile:
    """Count the rhythm and pitch histograms of a tune."""
    rhythm: Counter[int] = Counter()
    pitches = [event.pitch for event in tune.events if event.pitch is not None]
    for event in tune.events:
        if event.pitch is not None:
            bar = bisect_right(tune.barlines, event.onset) - 1
            start = tune.barlines[bar] if bar >= 0 else -tune.bar_ticks
            position = max(0, event.onset - start)
            rhythm[position * POSITION_FACTOR + min(event.duration, POSITION_FACTOR - 1)] += 1
    intervals = Counter(fold_to_octave(after - before) for before, after in pairwise(pitches))
    return TuneProfile(dict(rhythm), dict(intervals))


def total_variation_distance(one: Histogram, other: Histogram) -> float:
    """Compute half the L1 distance of the shares of two histograms, 0 to 1.

    Args:
        one: counts by key.
        other: counts by the same kind of key; an empty one has the share 0 everywhere.
    """
    ours, theirs = sum(one.values()) or 1, sum(other.values()) or 1
    keys = one.keys() | other.keys()
    return sum(abs(one.get(k, 0) / ours - other.get(k, 0) / theirs) for k in keys) / 2


def rank_against_tune(
    result: Histogram, target: Histogram, others: Sequence[Histogram]
) -> tuple[int, int]:
    """Count the ``others`` that are farther from the result than the target tune is.

    Args:
        result: histogram of a result.
        target: histogram of the reference tune.
        others: histograms of other tunes of the style.

    Returns:
        That count, and the number of others.
    """
    near = total_variation_distance(result, target)
    farther = sum(total_variation_distance(result, other) > near for other in others)
    return farther, len(others)


def rank_against_style(
    result: Histogram, style: Histogram, others: Sequence[Histogram]
) -> tuple[int, int]:
    """Count the ``others`` that are farther from the style's pooled histogram than the result.

    Args:
        result: histogram of a result.
        style: histogram of all training tunes of the style together.
        others: histograms of single tunes of the style.

    Returns:
        That count, and the number of others.
    """
    near = total_variation_distance(style, result)
    farther = sum(total_variation_distance(style, other) > near for other in others)
    return farther, len(others)


def sample_profiles(meter: Meter, styles: Sequence[ReferenceProfiles]) -> tuple[TuneProfile, ...]:
    """Take up to 50 sampled tunes of a meter, from the styles in turn.

    Args:
        meter: a style's meter with bars of the same length serves too.
        styles: the reference profiles of each style.

    Returns:
        Profiles of single tunes; empty where no style has the meter.
    """
    by_style = [profiles.for_meter(meter) for profiles in styles]
    rows = [profiles.samples for profiles in by_style if profiles is not None]
    mixed = (tune for turn in zip_longest(*rows) for tune in turn if tune is not None)
    return tuple(mixed)[:MAX_SAMPLES]


def _pool_profiles(profiles: Sequence[TuneProfile]) -> TuneProfile:
    """Add histograms."""
    rhythm: Counter[int] = Counter()
    pitch: Counter[int] = Counter()
    for one in profiles:
        rhythm.update(one.rhythm)
        pitch.update(one.pitch)
    return TuneProfile(dict(rhythm), dict(pitch))


def proximity_rank(
    result: CorpusTune,
    target: str | CorpusTune,
    styles: Mapping[str, ReferenceProfiles],
    *,
    side: Literal["rhythm", "pitch"],
    config: StatisticsConfig = StatisticsConfig(),
) -> tuple[int, int] | None:
    """Rank a result's distance to its target among real tunes of its meter.

    Args:
        result: the tune to rank.
        target: name of a style, or one tune.
        styles: profiles of all styles by name.
        side: which histogram is compared.
        config: how many other tunes a rank needs.

    Returns:
        N and M: the result is closer to its target than N of M real tunes are (see above).
        None where there are fewer than ``config.min_other_tunes`` other tunes of the result's
        meter, or where the target style has none.
    """
    ours = tune_profile(result).side(side)
    if isinstance(target, str):
        own = styles[target].for_meter(result.meter) if target in styles else None
        other_styles = [profiles for name, profiles in styles.items() if name != target]
        others = [tune.side(side) for tune in sample_profiles(result.meter, other_styles)]
        if own is None or len(others) < config.min_other_tunes:
            return None
        return rank_against_style(ours, own.pooled.side(side), others)
    theirs = tune_profile(target).side(side)
    others = [tune.side(side) for tune in sample_profiles(result.meter, [*styles.values()])]
    return (
        rank_against_tune(ours, theirs, others) if len(others) >= config.min_other_tunes else None
    )
