"""The pair of networks: what it may see, what it learns, and how it survives a kill."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import dance, write_corpus

from mst_core.errors import BrokenStyle
from mst_core.music import Meter
from mst_core.networks.cache import GRADES as GRADES_OF_TRUST
from mst_core.networks.cache import KINDS, Cache
from mst_core.networks.context import Heading, Line
from mst_core.networks.corpus import CorpusTune, Event, parse_tune, read_tunes
from mst_core.networks.dictionary import (
    COMMON_DURATIONS,
    REST,
    DurationDictionary,
    fold,
    interval_token,
)
from mst_core.networks.evaluation import duration_class, learn_cache, measure
from mst_core.networks.layout import PLACES, Layout
from mst_core.networks.pair import Shape, StylePair
from mst_core.networks.recall import GRADES
from mst_core.networks.school import Split, teach
from mst_core.networks.style import load_styles
from mst_core.networks.training import Course, Epoch, Precision, lesson, train, use_threads

CPU = torch.device("cpu")
SMALL = Shape(features=(), vocabulary=0, embedding=16, hidden=24, dropout=0.1, middle=16)
SHORT = Course(epochs=3, batch_events=512)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Two threads on busy cores wait for each other at every small step."""
    use_threads(1)


@pytest.fixture
def tunes(tmp_path: Path) -> list[CorpusTune]:
    return list(read_tunes([write_corpus(tmp_path / "dances.jsonl")]))


def test_wide_intervals_fold_by_octaves_and_keep_their_direction() -> None:
    assert (fold(14), fold(-14), fold(12), fold(-25)) == (2, -2, 12, -1)
    assert interval_token(0) == 12


def test_a_duration_outside_the_dictionary_takes_the_nearest_by_ratio() -> None:
    durations = DurationDictionary((6, 12, 24, 48))
    assert [durations.token(ticks) for ticks in (6, 11, 40, 500)] == [0, 1, 3, 3]


def test_nothing_after_an_event_changes_what_was_known_before_it() -> None:
    line = dance(3)
    whole = parse_tune(line)
    changed = dance(3)
    changed["notes"][-1][0] += 5
    durations = DurationDictionary.of([whole])
    first, second = lesson(whole, durations), lesson(parse_tune(changed), durations)
    np.testing.assert_array_equal(first.pitch_rows, second.pitch_rows)
    np.testing.assert_array_equal(first.duration_rows[:-1], second.duration_rows[:-1])


def test_transposing_a_tune_with_its_key_changes_only_the_names_of_key_and_pitch() -> None:
    low, high = dance(4), dance(4)
    high["notes"] = [[pitch + 3, *times] for pitch, *times in high["notes"]]
    high["key"] = "Fmaj"
    tune = parse_tune(low)
    durations = DurationDictionary.of([tune])
    first, second = lesson(tune, durations), lesson(parse_tune(high), durations)
    kept = [name not in ("key", "pitch") for name in Layout.duration(len(durations)).names]
    np.testing.assert_array_equal(first.duration_rows[:, kept], second.duration_rows[:, kept])
    np.testing.assert_array_equal(first.pitch_targets, second.pitch_targets)


def features(line: Line) -> dict[str, int]:
    """What the pitch network would see now, by name."""
    names = Layout.pitch(len(line.durations)).names
    return dict(zip(names, line.pitch_context(), strict=True))


def test_looking_back_finds_what_stood_at_the_same_place() -> None:
    tune = parse_tune(dance(5))
    durations = DurationDictionary.of([tune])
    line = Line(Heading.of(tune), durations)
    for event in tune.events:
        if event.onset == 4 * tune.bar_ticks:  # where the first half returns
            seen = features(line)
            first = tune.events[0]
            assert first.pitch is not None
            assert line.pitch is not None
            assert seen["interval to 4 bars back"] == interval_token(first.pitch - line.pitch)
            assert seen["duration 4 bars back"] == durations.token(first.duration)
        line.write(event.pitch, event.duration)


def test_a_rest_keeps_the_last_pitch_for_the_next_interval() -> None:
    tune = parse_tune(dance(6))
    line = Line(Heading.of(tune), DurationDictionary.of([tune]))
    line.write(67, 12)
    line.write(None, 12)
    assert line.interval(69) == interval_token(2)
    assert line.interval(None) == REST


def test_every_feature_stays_within_its_rows_of_the_table(tunes: list[CorpusTune]) -> None:
    durations = DurationDictionary.of(tunes[:1])
    odd = CorpusTune(
        "odd", "odd", Meter.parse("7/8"), None,
        (Event(None, -7, 7), Event(1, 0, 500), Event(127, 500, 1), Event(None, 501, 9),
         Event(3, 510, 3000), Event(99, 3510, 5)),
        (0, 84, 100), splits=(90,),
    )  # fmt: skip
    for tune in (*tunes, odd):
        rows = lesson(tune, durations).duration_rows
        assert (rows >= 0).all()
        assert (rows < np.array(Layout.duration(len(durations)).sizes)).all()


def test_a_bar_that_a_repeat_sign_splits_is_one_bar_and_tells_where_the_part_ends() -> None:
    parts = dance(5)
    parts["bar_starts"] = sorted([*parts["bar_starts"], "15/2"], key=Fraction)
    tune, plain = parse_tune(parts), parse_tune(dance(5))
    assert (tune.barlines, tune.splits) == (plain.barlines, (180,))
    line = Line(Heading.of(tune), DurationDictionary.of([tune]))
    while line.now < 168:
        line.write(62, 12)
    assert features(line)["ticks to the next line"] == 1 * PLACES + 12
    line.write(62, 12)
    assert features(line)["bars of the section"] == 0


def test_a_lick_is_recalled_wherever_it_stands_and_in_any_transposition() -> None:
    heading = Heading.plain(Meter.parse("4/4"), None, 8)
    line = Line(heading, DurationDictionary((6, 12, 24)))
    for pitch, duration in ((60, 12), (62, 12), (65, 12), (64, 24), (72, 6), (68, 12), (70, 12)):
        line.write(pitch, duration)
    line.write(73, 12)  # as at the beginning, eight higher and not at the same place
    seen = features(line)
    assert seen["interval that the line recalls"] // GRADES == interval_token(-1)
    assert seen["duration that the line recalls"] // GRADES == 2


def test_a_dictionary_holds_the_common_note_values_even_if_its_corpus_does_not() -> None:
    durations = DurationDictionary.of([parse_tune(dance(1))])
    assert {int(value * 24) for value in COMMON_DURATIONS} <= set(durations.ticks)


def test_training_learns_the_dances(tunes: list[CorpusTune]) -> None:
    durations = DurationDictionary.of(tunes)
    torch.manual_seed(0)
    pair = StylePair.build(durations, SMALL)
    before = measure(pair, tunes, CPU)
    rows = [
        (one.duration_rows, one.duration_targets) for one in (lesson(t, durations) for t in tunes)
    ]
    train(pair.duration, rows, rows, Course(epochs=30), device=CPU)
    assert measure(pair, tunes, CPU).duration < 0.6 * before.duration


def test_a_killed_training_goes_on_to_the_same_weights(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    durations = DurationDictionary.of(tunes)
    rows = [(one.pitch_rows, one.pitch_targets) for one in (lesson(t, durations) for t in tunes)]

    class KilledError(Exception):
        pass

    def kill(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KilledError

    def fresh() -> StylePair:
        torch.manual_seed(0)
        return StylePair.build(durations, SMALL)

    straight, broken = fresh(), fresh()
    train(straight.pitch, rows, rows, SHORT, device=CPU)
    with pytest.raises(KilledError):
        train(broken.pitch, rows, rows, SHORT, device=CPU, checkpoint=tmp_path / "c", tell=kill)
    again, epochs = fresh(), list[Epoch]()
    train(again.pitch, rows, rows, SHORT, device=CPU, checkpoint=tmp_path / "c", tell=epochs.append)
    assert epochs[0].number == 2
    for ours, theirs in zip(again.pitch.parameters(), straight.pitch.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_half_precision_learns_what_full_precision_learns(tunes: list[CorpusTune]) -> None:
    durations = DurationDictionary.of(tunes)
    rows = [(one.pitch_rows, one.pitch_targets) for one in (lesson(t, durations) for t in tunes)]
    found: dict[str, float] = {}
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    for precision in precisions:
        torch.manual_seed(0)
        pair = StylePair.build(durations, SMALL)
        course = Course(epochs=2, precision=precision)
        found[precision] = train(pair.pitch, rows, rows, course, device=CPU)
        assert all(weight.dtype == torch.float32 for weight in pair.pitch.parameters())
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.02)


def test_twenty_tunes_are_enough_to_go_on_from_another_style(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    models, runs = tmp_path / "models", tmp_path / "runs"
    course = Course(epochs=10, batch_events=512)
    teach("dances", tunes, models, runs, course=course, sizes=SMALL, device=CPU)
    slow = [slower(dance(100 + number)) for number in range(20)]
    fresh, adopted = (
        teach(name, slow, models, runs, course=Course(epochs=2), sizes=SMALL, device=CPU, base=base)
        for name, base in (("fresh", None), ("adopted", models / "dances"))
    )
    assert fresh is not None
    assert adopted is not None
    assert adopted.losses.pitch < fresh.losses.pitch - 0.2


def slower(line: dict[str, Any]) -> CorpusTune:
    """The same dance in 4/4, in note values that the fast one lacks."""
    notes = [[p, *(str(2 * Fraction(time)) for time in times)] for p, *times in line["notes"]]
    starts = [str(2 * Fraction(start)) for start in line["bar_starts"]]
    return parse_tune(line | {"meter": "4/4", "notes": notes, "bar_starts": starts})


def test_a_pair_takes_over_what_another_knows_of_the_nearest_durations() -> None:
    torch.manual_seed(0)
    coarse = StylePair.build(DurationDictionary((12, 24)), SMALL)
    fine = StylePair.build(DurationDictionary((12, 23, 24)), SMALL)
    fine.adopt(coarse)
    coarse.duration.eval()
    fine.duration.eval()
    held: dict[str, list[float]] = {}
    for name, pair in (("coarse", coarse), ("fine", fine)):
        line = Line(Heading.plain(Meter.parse("2/4"), None, 4), pair.durations)
        line.write(60, 12)
        line.write(64, 24)
        row = line.duration_context(line.pitch_context(), line.interval(62), 62)
        logits, _ = pair.duration(torch.tensor([[row]]))
        held[name] = logits[0, 0].tolist()
    assert [held["fine"][0], held["fine"][2]] == pytest.approx(held["coarse"], abs=1e-5)
    assert held["fine"][1] == pytest.approx(held["coarse"][1], abs=1e-5)


def test_what_a_tune_did_before_counts_where_the_network_does_not_know(
    tunes: list[CorpusTune],
) -> None:
    durations = DurationDictionary.of(tunes)
    torch.manual_seed(0)
    pair = StylePair.build(durations, SMALL)  # knows nothing yet
    lessons = [lesson(tune, durations) for tune in tunes]
    alone = measure(pair, tunes, CPU)
    learn_cache(pair.pitch, [(one.pitch_rows, one.pitch_targets) for one in lessons], CPU)
    learn_cache(pair.duration, [(one.duration_rows, one.duration_targets) for one in lessons], CPU)
    together = measure(pair, tunes, CPU)
    assert together.pitch < alone.pitch - 0.1
    assert together.duration < alone.duration - 0.1


def test_a_cache_knows_nothing_of_what_comes(tunes: list[CorpusTune]) -> None:
    durations = DurationDictionary.of(tunes)
    row = lesson(tunes[0], durations).pitch_rows.tolist()
    trust = ((0.0, *[0.3] * (GRADES_OF_TRUST - 1)),) * KINDS
    even = np.full(26, 1 / 26)

    def mixed(rows: list[list[int]]) -> list[list[float]]:
        cache = Cache(len(rows[0]), trust)
        return [cache.mix(row, even).tolist() for row in rows]

    other = [*row[:20], *lesson(tunes[1], durations).pitch_rows.tolist()[20:]]
    assert mixed(row)[:20] == mixed(other)[:20]
    assert all(sum(shares) == pytest.approx(1) for shares in mixed(row))


def test_a_checkpoint_of_another_corpus_is_not_taken(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    durations = DurationDictionary.of(tunes)
    rows = [(one.pitch_rows, one.pitch_targets) for one in (lesson(t, durations) for t in tunes)]
    pair = StylePair.build(durations, SMALL)
    train(pair.pitch, rows, rows, SHORT, device=CPU, checkpoint=tmp_path / "c")
    epochs: list[Epoch] = []
    train(pair.pitch, rows[:40], rows, SHORT, device=CPU, checkpoint=tmp_path / "c",
          tell=epochs.append)  # fmt: skip
    assert len(epochs) == SHORT.epochs


def test_a_trained_folder_is_a_style(tunes: list[CorpusTune], tmp_path: Path) -> None:
    result = teach(
        "dances", tunes, tmp_path / "models", tmp_path / "runs",
        course=SHORT, sizes=SMALL, device=CPU,
    )  # fmt: skip
    assert result is not None
    style = load_styles(tmp_path / "models", CPU)["dances"]
    assert style.card.meters.keys() == {"2/4"}
    assert style.card.about["training_tunes"] == len(result.split.training)
    again = measure(style.pair, result.split.test, CPU)
    assert again.pitch == pytest.approx(result.losses.pitch, abs=1e-3)  # halves are rounded
    assert again.duration == pytest.approx(result.losses.duration, abs=1e-3)


def test_retraining_keeps_what_people_wrote_on_the_card(
    tunes: list[CorpusTune], tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "dances"
    folder.mkdir(parents=True)
    (folder / "style.toml").write_text(
        'title = "Polkas \\"of home\\""\nprogram = 21\n[meters]\n"2/4" = { tempo = 96.0 }\n'
    )
    teach("dances", tunes, tmp_path / "models", tmp_path / "runs",
          course=SHORT, sizes=SMALL, device=CPU)  # fmt: skip
    card = load_styles(tmp_path / "models", CPU)["dances"].card
    assert (card.title, card.program, card.meters["2/4"].tempo) == ('Polkas "of home"', 21, 96.0)


def test_the_split_keeps_variants_of_a_title_together(tunes: list[CorpusTune]) -> None:
    split = Split.of(tunes + tunes)
    parts = [
        {tune.title for tune in part} for part in (split.training, split.validation, split.test)
    ]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


@pytest.mark.parametrize("damage", ["missing", "truncated", "not safetensors"])
def test_a_damaged_style_is_named(tunes: list[CorpusTune], tmp_path: Path, damage: str) -> None:
    pair = StylePair.build(DurationDictionary.of(tunes), SMALL)
    pair.save(tmp_path / "dances")
    weights = tmp_path / "dances" / "pitch.safetensors"
    if damage == "missing":
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        weights.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BrokenStyle, match="dances"):
        StylePair.load(tmp_path / "dances", CPU)


def test_common_classes_take_the_nearest_note_value() -> None:
    assert COMMON_DURATIONS[duration_class(24)] == 1
    assert COMMON_DURATIONS[duration_class(23)] == 1
    assert COMMON_DURATIONS[duration_class(500)] == 8


def test_an_event_that_no_dictionary_holds_still_has_a_finite_loss() -> None:
    known, odd = parse_tune(dance(1)), parse_tune(dance(2))
    events = (Event(62, 0, 24), Event(63, 24, 1), Event(74, 25, 200))
    strange = CorpusTune(odd.id, odd.title, odd.meter, odd.key, events, odd.barlines)
    pair = StylePair.build(DurationDictionary.of([known]), SMALL)
    assert measure(pair, [strange], CPU).duration < 12


@pytest.mark.parametrize(
    "lie",
    [
        {"hidden": 8192},
        {"hidden": -1},
        {"layers": 0},
        {"layers": 8},
        {"dropout": 9},
        {"embedding": 8000},
        {"vocabulary": 10**9},
        {"trust": [[0.5]]},
        {"trust": [[7.0] * 6] * 3},
    ],
)
def test_a_network_that_lies_about_its_size_is_refused(
    tunes: list[CorpusTune], tmp_path: Path, lie: dict[str, Any]
) -> None:
    pair = StylePair.build(DurationDictionary.of(tunes), SMALL)
    pair.save(tmp_path / "dances")
    weights = tmp_path / "dances" / "pitch.safetensors"
    tensors = load_file(weights)
    shape = msgspec.json.decode(msgspec.json.encode(pair.pitch.shape)) | lie
    header = {"shape": json.dumps(shape), "durations": json.dumps(pair.durations.ticks)}
    save_file(tensors, weights, header)
    with pytest.raises(BrokenStyle, match="dances"):
        StylePair.load(tmp_path / "dances", CPU)


@pytest.mark.parametrize("durations", ["[]", "[12, 6]", '["a"]', "{", "[12]", "[0, 12]"])
def test_a_dictionary_that_does_not_fit_is_refused(
    tunes: list[CorpusTune], tmp_path: Path, durations: str
) -> None:
    pair = StylePair.build(DurationDictionary.of(tunes), SMALL)
    for network, name in ((pair.pitch, "pitch"), (pair.duration, "duration")):
        network.save(tmp_path / f"{name}.safetensors", {"durations": durations})
    with pytest.raises(BrokenStyle):
        StylePair.load(tmp_path, CPU)


def test_a_broken_style_leaves_the_others_alone(
    tunes: list[CorpusTune], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models = tmp_path / "models"
    teach("dances", tunes, models, tmp_path / "runs", course=SHORT, sizes=SMALL, device=CPU)
    for name, card in (("bad", "not = [toml"), ("worse", 'title = "x"')):
        (models / name).mkdir()
        (models / name / "style.toml").write_text(card)
    shutil.copytree(models / "dances", models / "edited")
    text = (models / "edited" / "style.toml").read_text()
    (models / "edited" / "style.toml").write_text(text.replace('"2/4"', '"7/8"'))
    assert load_styles(models, CPU).keys() == {"dances"}
    for name in ("bad", "worse", "edited"):
        assert name in caplog.text
