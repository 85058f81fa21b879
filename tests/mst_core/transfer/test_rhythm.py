"""Transfer of rhythm: what must stay stays, whatever the tune."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from functools import cache, lru_cache
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mst_core.composing.composer import Composer
from mst_core.errors import BadOption, NoSuchTune, TooLong
from mst_core.evaluation.naturalness import keeps_last_note
from mst_core.generation.composition import SideResult
from mst_core.music import Key, Melody, Meter, MeterChange, Note
from mst_core.networks.style import Style, load_styles, pick_device, use_one_thread
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Side, Transfer, parse_bar_ranges
from mst_core.transfer.anticipation import LEAD
from mst_core.transfer.augmentation import DOUBLED, UNSCALED, augmentation_for
from mst_core.transfer.rhythm import RhythmPath, build_rhythm_path
from mst_core.transfer.structure import split_by_meter
from mst_core.transfer.target import RhythmTarget
from tests.support.melodies import JIG, REEL, melodies
from tests.support.paths import MODELS

ANY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def styles() -> dict[str, Style]:
    use_one_thread()  # as the product does
    return load_styles(MODELS, pick_device("cpu"))


def target(name: str) -> RhythmTarget:
    return RhythmTarget.from_style(styles()[name], Key(2), styles())


@lru_cache(maxsize=8)
def rhythm_path(
    melody: Melody, name: str, seed: int, meter: Meter | None, keep: frozenset[int]
) -> RhythmPath:
    """A path that several strengths can share."""
    return build_rhythm_path(melody, target(name), seed=seed, meter=meter, keep=keep)


def transfer(
    melody: Melody,
    name: str,
    *,
    strength: float = 1.0,
    seed: int = 3,
    meter: Meter | None = None,
    keep: frozenset[int] = frozenset(),
) -> tuple[Melody, SideResult]:
    """Transfer the rhythm, or skip an example that the style has no rhythm for."""
    try:
        path = rhythm_path(melody, name, seed, meter, keep)
    except NoSuchTune:
        assume(False)
        raise
    return path.at(strength)


def bar_contents(melody: Melody) -> list[tuple[tuple[Fraction, Fraction, int], ...]]:
    """The notes that begin in each bar: onset from the barline, duration, pitch."""
    lines = melody.barlines
    return [
        tuple(
            (n.onset - start, n.duration, n.pitch) for n in melody.notes if start <= n.onset < end
        )
        for start, end in pairwise(lines)
    ]


@ANY
@given(melodies(most_bars=8), st.sampled_from(["folk", "jazz"]), st.integers(0, 10**6))
def test_every_pitch_stays_and_every_bar_sums(melody: Melody, name: str, seed: int) -> None:
    assume(melody.notes)
    result = transfer(melody, name, seed=seed)[0]
    assert result.pitches == melody.pitches
    assert result.bar_count == melody.bar_count
    assert all(a.end <= b.onset for a, b in pairwise(result.notes))
    assert result.notes[-1].end <= result.length


@ANY
@given(melodies(most_bars=8), st.sampled_from(["folk", "jazz"]), st.integers(0, 10**6))
def test_the_last_note_keeps_its_beat_and_its_length(melody: Melody, name: str, seed: int) -> None:
    assume(melody.notes)
    result = transfer(melody, name, seed=seed)[0]
    assume(result.meter == melody.meter)
    assert result.notes[-1] == melody.notes[-1]


def test_a_jig_whose_pickup_shortens_its_last_bar_ends_in_common_time_as_it_did() -> None:
    assert JIG.pickup
    assert JIG.notes[-1].end == JIG.length - JIG.pickup
    result = transfer(JIG, "jazz")[0]
    assert result.meter == Meter(4, 4)
    assert keeps_last_note(JIG, result)


@ANY
@given(melodies(most_bars=8), st.sampled_from(["folk", "jazz"]))
def test_notes_stay_in_their_bar_group_but_for_an_early_first_note(
    melody: Melody, name: str
) -> None:
    assume(melody.notes)
    assume(augmentation_for(melody, target(name)) == UNSCALED)
    result = transfer(melody, name)[0]
    assume(result.barlines == melody.barlines)
    for section in split_by_meter(melody):
        for group in section.groups:
            notes = result.notes[group.index : group.index + len(group.notes)]
            for place, note in enumerate(notes):
                assert group.start - (0 if place else LEAD) <= note.onset
                assert note.end <= group.end


@ANY
@given(melodies(most_bars=8), st.sampled_from(["folk", "jazz"]))
def test_strength_zero_is_the_original_note_for_note(melody: Melody, name: str) -> None:
    assume(melody.notes)
    assume(target(name).meter_for(melody.meter) == melody.meter)
    result, side = transfer(melody, name, seed=5, strength=0.0)
    assert result == melody
    assert side.changed == 0


def test_a_tune_in_sixteenths_is_transferred_in_doubled_note_values_and_keeps_its_bars() -> None:
    quick = Fraction(1, 4)
    notes = tuple(Note(place * quick, quick, 62 + place % 7) for place in range(64))
    dense = replace(REEL, notes=notes, bar_count=4, sections=(0,))
    assert augmentation_for(dense, target("folk")) == DOUBLED
    path = build_rhythm_path(dense, target("folk"), seed=1)
    assert path.at(0.0)[0] == dense
    result = path.at(1.0)[0]
    assert (result.bar_count, result.pitches) == (4, dense.pitches)
    assert [len(bar) for bar in bar_contents(result)] == [16] * 4
    assert all((note.onset * 24).denominator == 1 for note in result.notes)


def test_equal_bars_of_a_waltz_stay_equal_wherever_they_are() -> None:
    bar = [Note(Fraction(0), Fraction(2), 62), Note(Fraction(2), Fraction(1), 66)]
    places = (0, 2, 5, 7)
    notes = []
    for place in range(8):
        raised = 0 if place in places else place + 1
        notes += [replace(n, onset=n.onset + 3 * place, pitch=n.pitch + raised) for n in bar]
    waltz = replace(REEL, notes=tuple(notes), meter=Meter(3, 4), bar_count=8, sections=(0,))
    for name in ("folk", "jazz"):
        after = bar_contents(transfer(waltz, name)[0])
        assert len({after[place] for place in places}) == 1


def test_equal_bars_stay_equal_where_a_tie_joins_one_to_its_neighbor() -> None:
    """Bars 1 and 3 are equal; the last note of each is held over, into different bars."""
    quarter = Fraction(1)
    bar = [62, 64, 66]

    def phrase(first: int, after: tuple[int, ...]) -> list[Note]:
        start = Fraction(4 * first)
        notes = [Note(start + place, quarter, pitch) for place, pitch in enumerate(bar)]
        notes.append(Note(start + 3, 2 * quarter, 67))
        return notes + [Note(start + 5 + p, quarter, pitch) for p, pitch in enumerate(after)]

    notes = (*phrase(0, (69, 71, 73)), *phrase(2, (74, 73)))
    tied = replace(REEL, notes=notes, bar_count=4, sections=(0,))
    for strength in (0.3, 0.7, 1.0):
        after = bar_contents(transfer(tied, "jazz", seed=4, strength=strength)[0])
        assert after[0] == after[2]


STRENGTHS = [step / 20 for step in range(21)]


@ANY
@given(melodies(most_bars=8), st.sampled_from(["folk", "jazz"]), st.integers(0, 10**6))
def test_a_stronger_change_is_never_smaller_nor_less_similar(
    melody: Melody, name: str, seed: int
) -> None:
    assume(melody.notes)
    try:
        path = build_rhythm_path(melody, target(name), seed=seed)
    except NoSuchTune:
        assume(False)
        raise
    versions = [path.at(strength) for strength in STRENGTHS]
    for (_, weaker), (_, stronger) in pairwise(versions):
        assert weaker.changed <= stronger.changed
        assert weaker.similarity is not None
        assert stronger.similarity is not None
        assert weaker.similarity <= stronger.similarity
    for strength, (version, side) in zip(STRENGTHS, versions, strict=True):
        assert side.changed <= strength * versions[-1][1].changed + 1e-9
        assert version.pitches == melody.pitches


@ANY
@given(melodies(most_bars=8, wild=False), st.sampled_from(["folk", "jazz"]))
def test_the_reported_share_of_changed_notes_covers_all_notes_that_differ(
    melody: Melody, name: str
) -> None:
    assume(melody.notes)
    assume(target(name).meter_for(melody.meter) == melody.meter)
    for strength in (0.25, 0.5, 1.0):
        result, side = transfer(melody, name, strength=strength)
        differing = sum(a != b for a, b in zip(result.notes, melody.notes, strict=True))
        assert side.changed * len(melody.notes) >= differing - 1e-6


def repeated(melody: Melody) -> Melody:
    """The same bars again, the second time two tones higher."""
    length = melody.length
    again = tuple(Note(n.onset + length, n.duration, n.pitch + 4) for n in melody.notes)
    third = tuple(Note(n.onset + 2 * length, n.duration, n.pitch) for n in melody.notes)
    notes = (*melody.notes, *again, *third)
    return replace(melody, notes=notes, bar_count=3 * melody.bar_count, sections=(0,))


@pytest.mark.parametrize("name", ["folk", "jazz"])
@pytest.mark.parametrize("strength", [0.3, 0.6, 1.0])
def test_equal_bars_stay_equal(name: str, strength: float) -> None:
    melody = repeated(REEL)
    result = transfer(melody, name, strength=strength)[0]
    before, after = bar_contents(melody), bar_contents(result)
    same: dict[object, list[int]] = defaultdict(list)
    for place, bar in enumerate(before):
        same[bar].append(place)
    assert any(len(places) > 1 for places in same.values())
    for places in same.values():
        assert len({after[place] for place in places}) == 1


@pytest.mark.parametrize("name", ["folk", "jazz"])
def test_a_transposed_repeat_gets_the_same_rhythm(name: str) -> None:
    melody = repeated(REEL)
    after = bar_contents(transfer(melody, name)[0])
    for bar in range(REEL.bar_count):
        first = [(onset, duration) for onset, duration, _ in after[bar]]
        assert first == [(onset, duration) for onset, duration, _ in after[bar + REEL.bar_count]]


@pytest.mark.parametrize("seed", range(4))
def test_phrases_begin_where_they_began(seed: int) -> None:
    long = replace(REEL, sections=(0,))
    after = bar_contents(transfer(long, "jazz", seed=seed)[0])
    for bar in range(0, long.bar_count, 4):
        assert bar_contents(long)[bar][0][0] == after[bar][0][0] == 0


def test_kept_bars_stay_as_they_are() -> None:
    result = transfer(REEL, "jazz", keep=frozenset({0, 2}))[0]
    before, after = bar_contents(REEL), bar_contents(result)
    assert (after[0], after[2]) == (before[0], before[2])
    assert after != before


def test_a_jig_transferred_to_jazz_becomes_four_four_bar_for_bar() -> None:
    result = transfer(JIG, "jazz")[0]
    assert str(result.meter) == "4/4"
    assert result.bar_count == JIG.bar_count
    # Bar for bar, but for a note that begins its bar an eighth early.
    for old, new in zip(JIG.barlines, result.barlines, strict=True):
        begun = sum(note.onset < old for note in JIG.notes)
        assert sum(note.onset < new for note in result.notes) in (begun, begun + 1)
        assert not begun or result.notes[begun - 1].end <= new


@pytest.mark.parametrize(("meter", "beats"), [("9/8", "3/4"), ("12/8", "4/4"), ("6/8", "4/4")])
def test_dotted_beats_become_plain_beats_where_a_style_has_no_dotted_ones(
    meter: str, beats: str
) -> None:
    assert str(target("jazz").meter_for(Meter.parse(meter))) == beats


def test_bars_that_stay_are_stretched_to_the_new_meter_on_the_grid() -> None:
    notes = tuple(Note(Fraction(i, 2), Fraction(1, 2), 62 + i % 7) for i in range(45))
    slip_jig = Melody(notes, Meter(9, 8), Key(2), 150, 5)
    for strength in (0.0, 0.4):
        result = transfer(slip_jig, "jazz", strength=strength, meter=Meter(4, 4))[0]
        assert result.length == 20
        assert all(24 % n.onset.denominator == 0 for n in result.notes)
        assert all(24 % n.duration.denominator == 0 for n in result.notes)


def test_strength_zero_keeps_a_meter_that_the_style_lacks() -> None:
    request = Transfer(source="sha", seed=1, rhythm=Side(style="jazz", strength=0.0))
    composition = Composer(styles()).transfer(request, {"sha": ParsedScore("A jig", JIG)})
    assert composition.melody == JIG
    path = build_rhythm_path(JIG, target("jazz"), seed=1)
    assert path.at(0.0, keep_meter_at_zero=True)[0] == JIG
    assert str(path.at(0.0)[0].meter) == "4/4"


def test_a_change_of_meter_within_the_tune_stays_at_its_bar() -> None:
    notes = tuple(Note(Fraction(i), Fraction(1), 62 + i % 5) for i in range(14))
    change = MeterChange(2, Meter(3, 4))
    melody = Melody(notes, Meter(4, 4), Key(2), 120, 4, meter_changes=(change,))
    result = transfer(melody, "folk")[0]
    assert result.meter_changes == (change,)
    assert result.barlines == melody.barlines


def test_one_tune_as_the_target_brings_its_own_rhythms() -> None:
    dotted = tuple(
        Note(Fraction(bar * 4) + onset, duration, 67)
        for bar in range(8)
        for beat in range(4)
        for onset, duration in (
            (Fraction(beat), Fraction(3, 4)),
            (Fraction(beat) + Fraction(3, 4), Fraction(1, 4)),
        )
    )
    march = Melody(dotted, Meter(4, 4), Key(7), 100, 8)
    plain = replace(march, notes=tuple(
        Note(Fraction(i, 2), Fraction(1, 2), 60 + i % 7) for i in range(64)))  # fmt: skip
    reference = RhythmTarget.from_tune(march, styles(), Key(0))
    result, _ = build_rhythm_path(plain, reference, seed=1).at(1.0)
    assert sum(note.duration == Fraction(3, 4) for note in result.notes) >= 16


def test_the_composition_reports_what_changed() -> None:
    composer = Composer(styles())
    request = Transfer(source="sha", seed=1, rhythm=Side(style="jazz"))
    composition = composer.transfer(request, {"sha": ParsedScore("A jig", JIG)})
    assert composition.rhythm is not None
    assert composition.rhythm.changed > 0.3
    assert composition.swing > 0.5
    assert any("6/8" in warning for warning in composition.warnings)


@pytest.mark.parametrize(
    ("text", "bars"),
    [("1-4,9", {0, 1, 2, 3, 8}), (None, set()), (" 2 ", {1}), ("3-3", {2})],
)
def test_bar_ranges_are_counted_from_one(text: str | None, bars: set[int]) -> None:
    assert parse_bar_ranges(text, 16) == bars


@pytest.mark.parametrize("text", ["0", "4-2", "17", "a", "1--2", "9999999", "1-4-5"])
def test_bars_that_the_tune_does_not_have_are_rejected(text: str) -> None:
    with pytest.raises(BadOption, match="keep-bars"):
        parse_bar_ranges(text, 16)


def test_a_tune_that_would_last_too_long_in_its_new_meter_is_rejected() -> None:
    composer = Composer(styles())
    long = replace(REEL, tempo=40.0, bar_count=400)
    request = Transfer(source="sha", seed=1, rhythm=Side(style="folk"), meter="9/8")
    with pytest.raises(TooLong, match="seconds"):
        composer.transfer(request, {"sha": ParsedScore("long", long)})


def test_a_meter_with_too_many_beats_becomes_the_most_common_one_of_the_style() -> None:
    assert str(target("jazz").meter_for(Meter(13, 16))) == "4/4"


def test_a_pickup_held_over_barlines_does_not_reach_into_a_new_rhythm() -> None:
    times = ((Fraction(-35, 24), Fraction(1, 24)), (Fraction(-17, 12), Fraction(11, 3)),
             (Fraction(13, 4), Fraction(1)))  # fmt: skip
    notes = tuple(Note(onset, duration, 55) for onset, duration in times)
    held = Melody(notes, Meter(9, 16), Key(0, "dorian"), 40, 2)
    for strength in (0.5, 1.0):
        changed, _ = transfer(held, "folk", strength=strength, seed=0)
        assert changed.pitches == held.pitches
        assert len(changed.notes) == 3


def sixteenths(meter: str, pickup: str, bars: int = 16) -> Melody:
    """A tune in sixteenths with a pickup, and with a rest in its first bar."""
    form = Meter.parse(meter)
    start, end = -int(Fraction(pickup) * 4), int(bars * form.bar_length * 4)
    notes = [
        Note(Fraction(step, 4), Fraction(1, 4), 60 + step * 7 % 12)
        for step in range(start, end)
        if step not in (2, 3)
    ]
    return Melody(tuple(notes), form, Key(0), 100.0, bars)


@pytest.mark.parametrize("name", ["jazz", "folk"])
@pytest.mark.parametrize(
    ("meter", "pickup"),
    [("4/4", "5/2"), ("4/4", "3"), ("4/4", "2"), ("4/4", "7/2"), ("3/4", "3/2"), ("3/4", "2")],
)
def test_a_dense_tune_may_have_a_long_pickup(meter: str, pickup: str, name: str) -> None:
    tune = sixteenths(meter, pickup)
    result = transfer(tune, name)[0]
    assert result.pitches == tune.pitches
    assert result.bar_count == tune.bar_count
    assert result.pickup <= tune.meter.bar_length
    assert result.notes[-1].end <= result.length


@ANY
@given(
    melodies(most_bars=5, wild=False, changes=True),
    st.integers(0, 6),
    st.sampled_from(["folk", "jazz"]),
)
def test_no_pickup_is_too_long(melody: Melody, beats: int, name: str) -> None:
    assume(melody.notes)
    first = melody.notes[0]
    lead = tuple(
        Note(first.onset - Fraction(step, 4), Fraction(1, 4), 60 + step)
        for step in range(4 * beats, 0, -1)
    )
    tune = replace(melody, notes=(*lead, *melody.notes))
    result = transfer(tune, name)[0]
    assert result.pitches == tune.pitches
    assert result.bar_count == tune.bar_count
    assert all(a.end <= b.onset for a, b in pairwise(result.notes))


@pytest.mark.parametrize("bars", [1, 2])
def test_a_passing_bar_in_a_meter_that_the_style_lacks_stays(bars: int) -> None:
    """Jazz has no 6/8."""
    changes = (MeterChange(4, Meter(6, 8)), MeterChange(4 + bars, Meter(4, 4)))
    frame = Melody((), Meter(4, 4), Key(0), 120.0, 12, meter_changes=changes)
    notes = tuple(
        Note(line + step, Fraction(1), 60 + int(line + step) * 7 % 12)
        for line, end in pairwise(frame.barlines)
        for step in range(int(end - line))
    )
    tune = replace(frame, notes=notes)
    result = transfer(tune, "jazz")[0]
    assert result.meter_changes == changes
    assert bar_contents(result)[4 : 4 + bars] == bar_contents(tune)[4 : 4 + bars]
    assert bar_contents(result)[:4] != bar_contents(tune)[:4]
    assert not result.tempo_changes


def test_a_long_passage_in_a_meter_that_the_style_lacks_gets_another() -> None:
    changes = (MeterChange(2, Meter(6, 8)),)
    frame = Melody((), Meter(4, 4), Key(0), 120.0, 6, meter_changes=changes)
    notes = tuple(Note(Fraction(n), Fraction(1), 60 + n % 5) for n in range(int(frame.length)))
    result = transfer(replace(frame, notes=notes), "jazz")[0]
    assert not result.meter_changes
    assert [change.tempo for change in result.tempo_changes] == [120.0, 160.0]
