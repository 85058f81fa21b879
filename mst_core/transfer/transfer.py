"""Transfer: a given tune gets the rhythm, the pitches, or both, of a style or of another tune.

The change paths of the last tunes are cached: another strength of them costs almost nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TypeVar

from mst_core.corpora.tunes import CorpusTune
from mst_core.errors import BadOption
from mst_core.generation.composition import Composition, SideResult
from mst_core.music import Melody, Meter
from mst_core.networks.style import Style
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Side, SideName, Transfer, parse_bar_ranges
from mst_core.statistics.reference_profiles import proximity_rank
from mst_core.statistics.shared_runs import SharedRun
from mst_core.styles import StyleCard
from mst_core.transfer.accompaniment import move_melody_controls, move_parts
from mst_core.transfer.change_path import ChangePath
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.meter_map import tempo_ratio
from mst_core.transfer.pitch import build_pitch_path, with_pitches
from mst_core.transfer.rhythm import RhythmPath, build_rhythm_path
from mst_core.transfer.structure import check_duration, count_kept_repeats
from mst_core.transfer.target import PitchTarget, RhythmTarget, Target

T = TypeVar("T")
_CACHE_LOCK = Lock()
_MAX_LISTED = 4
"""Runs of bars that a sentence names."""


class StyleTransfer:
    """Transfers given tunes, and caches the change paths of the last ones."""

    def __init__(
        self, styles: Mapping[str, Style], config: TransferConfig = TransferConfig()
    ) -> None:
        """Serve requests for these styles.

        Args:
            styles: by name; those that are not the target are the contrast.
            config: all tunable constants of the transfer.
        """
        self._styles, self._config = styles, config
        self._rhythm_targets: OrderedDict[Hashable, RhythmTarget] = OrderedDict()
        self._rhythm_paths: OrderedDict[Hashable, tuple[RhythmTarget, RhythmPath]] = OrderedDict()
        self._pitch_paths: OrderedDict[Hashable, tuple[PitchTarget, ChangePath]] = OrderedDict()

    def transfer(
        self,
        request: Transfer,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        """Transfer an uploaded tune.

        Args:
            request: which tune, to which targets, how strongly.
            scores: the tune, and those that are targets, by SHA-256 of their files.
            on_progress: called with the share done, 0 to 1.

        Returns:
            The tune with what changed on each side.

        Raises:
            BadOption: when the target does not support the requested meter.
            NoSuchTune: when the target has no rhythm for most of the tune's bars.
            TooLong: when it would last too long in its new meter.
        """
        source = scores[request.source]
        melody, warnings, cards = source.melody, [*source.warnings], []
        swing = own_swing = 0.5 if source.swing is None else source.swing
        rhythm: SideResult | None = None
        pitch: SideResult | None = None
        if request.rhythm is not None:
            strength = request.rhythm.strength
            rhythm_target, rhythm_path = self._rhythm_path(
                request, request.rhythm, scores, on_progress
            )
            cards.append(rhythm_target.style.card)
            swing += (_widest_swing(rhythm_target.style.card) - own_swing) * strength
            rhythm = SideResult(changed=0.0)
            if rhythm_path is not None:
                melody, rhythm = rhythm_path.at(strength)
                warnings += _warnings(request, source.melody, melody, rhythm_path)
        if request.pitch is not None:
            pitch_target, pitch_path = self._pitch_path(request, request.pitch, scores, on_progress)
            cards.append(pitch_target.style.card)
            pitches, pitch = pitch_path.at(request.pitch.strength)
            melody = with_pitches(melody, pitches)
            if pitch.changed:
                pitch = self._compared(pitch, melody, pitch_target, request.pitch, scores)
        if request.rhythm is not None and rhythm is not None and rhythm.changed:
            rhythm = self._compared(rhythm, melody, rhythm_target, request.rhythm, scores)
        return Composition(
            melody,
            form="",
            swing=swing,
            program=cards[0].program if source.program is None else source.program,
            original=source.melody,
            rhythm=rhythm,
            pitch=pitch,
            repeats=count_kept_repeats(source.melody, melody),
            parts=move_parts(source.parts, source.melody, melody),
            controls=move_melody_controls(source.controls, source.melody, melody),
            velocity=source.velocity,
            warnings=tuple(warnings),
        )

    def _compared(
        self,
        result: SideResult,
        melody: Melody,
        target: Target,
        side: Side,
        scores: Mapping[str, ParsedScore],
    ) -> SideResult:
        """A side's result with its rank and shared runs, against one tune or a style."""
        name: SideName = "rhythm" if isinstance(target, RhythmTarget) else "pitch"
        reference = None if side.like is None else scores[side.like].melody
        return compare_with_target(result, melody, target.style, reference, self._styles, name)

    def _rhythm_path(
        self,
        request: Transfer,
        side: Side,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> tuple[RhythmTarget, RhythmPath | None]:
        """The rhythm target and the path to it; None for a tune that is to stay as it is."""
        melody = scores[request.source].melody
        styles, config = self._styles, self._config
        reference = None
        if side.like is not None:
            reference = scores[side.like].melody
            target = get_or_make(
                self._rhythm_targets,
                (reference, melody.key),
                partial(RhythmTarget.from_tune, reference, styles, melody.key, config),
                config.cached_tunes,
            )
        else:
            target = RhythmTarget.from_style(styles[side.style or ""], melody.key, styles, config)
        meter = _requested_meter(request, target)
        if side.strength == 0 and meter is None:
            return target, None
        new_meter = meter or target.meter_for(melody.meter)
        longer = new_meter.bar_length / melody.meter.bar_length
        ratio = longer / tempo_ratio(melody.meter, new_meter)
        check_duration(melody.seconds * float(ratio), new_meter)
        return get_or_make(
            self._rhythm_paths,
            (melody, side.style, reference, request.seed, meter, request.keep_bars),
            lambda: (
                target,
                build_rhythm_path(
                    melody,
                    target,
                    seed=request.seed,
                    meter=meter,
                    keep=parse_bar_ranges(request.keep_bars, melody.bar_count),
                    on_progress=on_progress,
                ),
            ),
            config.cached_tunes,
        )

    def _pitch_path(
        self,
        request: Transfer,
        side: Side,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> tuple[PitchTarget, ChangePath]:
        """The pitch target and the path to it."""
        melody = scores[request.source].melody
        styles, config = self._styles, self._config
        reference = None if side.like is None else scores[side.like].melody
        if reference is not None:
            target = PitchTarget.from_tune(reference, styles, config)
        else:
            target = PitchTarget.from_style(side.style or "", styles, config)
        return get_or_make(
            self._pitch_paths,
            (melody, side.style, reference, request.seed, request.keep_bars),
            lambda: (
                target,
                build_pitch_path(
                    melody,
                    target,
                    seed=request.seed,
                    keep=parse_bar_ranges(request.keep_bars, melody.bar_count),
                    on_progress=on_progress,
                ),
            ),
            config.cached_tunes,
        )


def compare_with_target(
    result: SideResult,
    melody: Melody,
    style: Style,
    reference: Melody | None,
    styles: Mapping[str, Style],
    side: SideName,
) -> SideResult:
    """Compare a transferred tune with its target: its rank, and the runs that it shares.

    Args:
        result: of one side.
        melody: the transferred tune.
        style: of the target.
        reference: the target tune; None where the whole style is the target.
        styles: all styles; their reference profiles are the ranks' yardstick.
        side: that is compared.

    Returns:
        ``result`` with the rank and the runs; None for what the styles' files lack.
    """
    tune = CorpusTune.from_melody(melody)
    target = style.name if reference is None else CorpusTune.from_melody(reference)
    profiles = {
        name: other.reference_profiles for name, other in styles.items() if other.reference_profiles
    }
    run: SharedRun | None = None
    if (prints := style.fingerprints) is not None:
        if isinstance(target, str):
            find = prints.longest_rhythm_run if side == "rhythm" else prints.longest_melody_run
            run = find(tune)
        else:
            compare = prints.rhythm_run_with if side == "rhythm" else prints.melody_run_with
            run = compare(tune, target)
    return replace(
        result,
        rank_among=proximity_rank(tune, target, profiles, side=side),
        longest_shared_run=None if run is None else run.length,
        p95_shared_run=None if run is None else run.p95,
    )


def get_or_make(
    cache: OrderedDict[Hashable, T], key: Hashable, make: Callable[[], T], max_items: int
) -> T:
    """Return the item of a key, which ``make`` makes where the cache has none; any thread may ask.

    Args:
        cache: items by key, the one used least recently first; that one is dropped if necessary.
        key: of the item.
        make: called where the cache lacks the item.
        max_items: size of the cache.
    """
    with _CACHE_LOCK:
        if (item := cache.get(key)) is not None:
            cache.move_to_end(key)
            return item
    # Without the lock: another thread may make another item meanwhile, or even the same.
    item = make()
    with _CACHE_LOCK:
        cache[key] = item
        cache.move_to_end(key)
        while len(cache) > max_items:
            cache.popitem(last=False)
    return item


def _widest_swing(card: StyleCard) -> float:
    """The largest swing ratio of a style's meters; 0.5 is straight."""
    return max((played.swing for played in card.meters.values()), default=0.5)


def _requested_meter(request: Transfer, target: RhythmTarget) -> Meter | None:
    """The meter that the request names, if any. Raises BadOption."""
    if request.meter is None:
        return None
    meter = Meter.parse(request.meter)
    if not target.supports_meter(meter):
        known = ", ".join(target.style.card.meters)
        raise BadOption("meter", meter, f"{target.name} has the meters {known}")
    return meter


def _describe_meters(before: Melody, after: Melody) -> Iterator[str]:
    """Yield a sentence for each meter whose bars became bars of another."""
    if after.meter != before.meter and not before.meter_changes:
        yield f"The target has no {before.meter}; every bar became one of {after.meter}."
        return
    became: dict[tuple[Meter, Meter], list[int]] = {}
    for bar in range(before.bar_count):
        meters = before.meter_at(bar), after.meter_at(bar)
        if meters[0] != meters[1]:
            became.setdefault(meters, []).append(bar + 1)
    for (old, new), bars in became.items():
        which = f"bar {bars[0]}" if len(bars) == 1 else f"bars {_list_bars(bars)}"
        verb = "became a bar of" if len(bars) == 1 else "became bars of"
        yield f"The target has no {old}; {which} {verb} {new}."


def _list_bars(bars: list[int]) -> str:
    """Bars in words, such as ``3, 7 and 12``; runs as ``1 to 8``, of many the first few."""
    runs: list[list[int]] = []
    for bar in bars:
        if runs and bar == runs[-1][1] + 1:
            runs[-1][1] = bar
        else:
            runs.append([bar, bar])
    words = [str(first) if first == last else f"{first} to {last}" for first, last in runs]
    if len(words) > _MAX_LISTED:
        return ", ".join(words[:_MAX_LISTED]) + " and others"
    return ", ".join(words[:-1]) + " and " * (len(words) > 1) + words[-1]


def _warnings(
    request: Transfer, before: Melody, after: Melody, path: RhythmPath
) -> tuple[str, ...]:
    """Sentences about another meter, unplayable bars and doubled note values."""
    warnings = list(_describe_meters(before, after)) if request.meter is None else []
    if path.unplayable:
        bars = "1 bar stays" if path.unplayable == 1 else f"{path.unplayable} bars stay"
        warnings.append(f"{bars} as written: the style plays other numbers of notes there.")
    if path.scale != 1:
        warnings.append(
            "The style never has this number of notes in a bar: each bar became two of its bars, "
            "twice as fast."
        )
    return tuple(warnings)
