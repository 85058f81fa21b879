"""What a style remembers of its tunes: whether a run is copied, and how near a result lies."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.__main__ import main
from mst_core.corpora.tunes import CorpusTune, Event, parse_tune
from mst_core.errors import BrokenStyle
from mst_core.music import Key, Meter
from mst_core.statistics.fingerprints import ECHOES, Echoes
from mst_core.statistics.reference_profiles import (
    NEIGHBOURS,
    Neighbours,
    Side,
    closeness,
    closer_to_style,
    closer_to_tune,
    distance,
    profiles_of,
)
from mst_core.statistics.shared_runs import longest_run, melody_steps, rhythm_steps
from mst_core.training.train_style import Split
from tests.support.corpus import dance, write_corpus
from tests.support.paths import MODELS

DANCES = tuple(parse_tune(dance(number)) for number in range(60))


def tune_of(steps: list[tuple[int, int]], *, name: str = "tune") -> CorpusTune:
    """A tune in 4/4 of (pitch, duration in ticks), from the first downbeat on."""
    events, now = [], 0
    for pitch, ticks in steps:
        events.append(Event(pitch, now, ticks))
        now += ticks
    bars = tuple(range(0, max(now, 1), 96))
    return CorpusTune(name, name, Meter(4, 4), Key(0), tuple(events), bars)


tunes = st.lists(
    st.tuples(st.integers(55, 80), st.sampled_from([3, 6, 8, 12, 18, 24, 36, 48])),
    min_size=12,
    max_size=60,
).map(tune_of)


@pytest.fixture(scope="module")
def echoes() -> Echoes:
    return Echoes.of(DANCES[:30], DANCES[30:])


@settings(deadline=None, max_examples=25)
@given(st.lists(tunes, min_size=1, max_size=6), st.integers(0, 5))
def test_a_training_tune_shares_its_whole_length(corpus: list[CorpusTune], which: int) -> None:
    tune = corpus[which % len(corpus)]
    echoes = Echoes.of(corpus, ())
    assert echoes.longest_rhythm(tune).length == len(tune.events)
    assert echoes.longest_melody(tune).length == len(tune.events) - 1


@settings(deadline=None, max_examples=25)
@given(st.lists(tunes, min_size=2, max_size=6), tunes)
def test_no_copy_is_ever_missed(corpus: list[CorpusTune], stranger: CorpusTune) -> None:
    echoes = Echoes.of(corpus, ())
    shared = max(longest_run(rhythm_steps(stranger), rhythm_steps(t)).length for t in corpus)
    assert echoes.longest_rhythm(stranger).length >= (shared if shared >= 8 else 0)
    shared = max(longest_run(melody_steps(stranger), melody_steps(t)).length for t in corpus)
    assert echoes.longest_melody(stranger).length >= (shared if shared >= 8 else 0)


@settings(deadline=None, max_examples=10)
@given(st.lists(tunes, min_size=2, max_size=6, unique=True), tunes)
def test_the_order_of_the_corpus_does_not_matter_to_a_copy(
    corpus: list[CorpusTune], stranger: CorpusTune
) -> None:
    copied = replace(stranger, events=corpus[0].events, barlines=corpus[0].barlines)
    for tunes in (corpus, corpus[::-1]):
        assert Echoes.of(tunes, ()).longest_rhythm(copied).length == len(copied.events)


def test_what_shares_nothing_gives_a_short_run(echoes: Echoes) -> None:
    draw = np.random.default_rng(1)
    alien = tune_of([(int(draw.integers(40, 90)), int(draw.integers(1, 90))) for _ in range(200)])
    assert echoes.longest_rhythm(alien).length <= 13
    assert echoes.longest_melody(alien).length <= 12


def test_a_copy_is_found_where_it_stands_in_another_key(echoes: Echoes) -> None:
    lent = [(event.pitch or 0, event.duration) for event in DANCES[7].events[:14]]
    own = [(60 + 5 * (n % 3), 7) for n in range(20)]
    run = echoes.longest_melody(tune_of([*own, *((pitch + 4, t) for pitch, t in lent), *own]))
    assert 13 <= run.length <= 15
    assert run.first + run.length >= 20 + 13


def test_a_rhythm_must_stand_at_the_same_place_of_the_bar() -> None:
    tune = tune_of([(60 + n, 12) for n in range(20)])
    late = replace(tune, events=tuple(replace(e, onset=e.onset + 6) for e in tune.events))
    assert longest_run(rhythm_steps(tune), rhythm_steps(tune)).length == 20
    assert longest_run(rhythm_steps(tune), rhythm_steps(late)).length == 0
    assert longest_run(melody_steps(tune), melody_steps(late)).length == 19


@settings(deadline=None, max_examples=40)
@given(tunes, tunes)
def test_two_tunes_share_the_same_run_whoever_is_asked(a: CorpusTune, b: CorpusTune) -> None:
    there, back = (longest_run(melody_steps(x), melody_steps(y)) for x, y in ((a, b), (b, a)))
    assert there.length == back.length
    run = slice(there.first, there.first + there.length)
    mirror = slice(back.first, back.first + back.length)
    if there.length:
        assert melody_steps(a)[run].shape == melody_steps(b)[mirror].shape


def test_a_run_is_unusual_when_it_is_longer_than_strangers_share(echoes: Echoes) -> None:
    copy, stranger = echoes.longest_melody(DANCES[3]), echoes.longest_melody(DANCES[40])
    assert copy.unusual
    assert copy.usual == echoes.melody.usual
    assert stranger.length <= copy.length
    assert echoes.longest_melody_of_two(DANCES[3], DANCES[3]).unusual


def test_few_tunes_do_not_tell_what_is_usual() -> None:
    small = Echoes.of(DANCES[:5], DANCES[5:10])
    assert small.longest_melody(DANCES[0]).usual is None
    assert not small.longest_melody(DANCES[0]).unusual


def test_echoes_survive_their_file_and_take_little_room(echoes: Echoes, tmp_path: Path) -> None:
    echoes.save(tmp_path)
    again = Echoes.load(tmp_path)
    assert again is not None
    for tune in DANCES:
        assert again.longest_rhythm(tune) == echoes.longest_rhythm(tune)
        assert again.longest_melody(tune) == echoes.longest_melody(tune)
    notes = sum(len(tune.events) for tune in DANCES[:30])
    assert (tmp_path / ECHOES).stat().st_size < 2 * notes + 1000


def test_a_style_of_an_older_training_has_no_echoes(tmp_path: Path) -> None:
    assert Echoes.load(tmp_path) is None
    assert Neighbours.load(tmp_path) is None


@pytest.mark.parametrize("place", [3, 200, -1])
def test_damaged_echoes_break_the_style(echoes: Echoes, tmp_path: Path, place: int) -> None:
    echoes.save(tmp_path)
    content = bytearray((tmp_path / ECHOES).read_bytes())
    content[place] ^= 255
    (tmp_path / ECHOES).write_bytes(content)
    with pytest.raises(BrokenStyle):
        Echoes.load(tmp_path)


def test_a_tune_is_nearest_to_itself() -> None:
    company = Neighbours.of(DANCES[1:]).company(Meter(2, 4))
    assert company is not None
    ours = profiles_of(DANCES[0]).melody
    others = [tune.melody for tune in company.single]
    found = closer_to_tune(ours, ours, others)
    assert (found.nearer, found.others) == (50, 50)
    far = profiles_of(tune_of([(60, 7), (71, 5)] * 20)).melody
    assert closer_to_tune(ours, far, others).nearer == 0


def test_a_tune_of_a_style_is_closer_to_it_than_strangers_are() -> None:
    strangers = [tune_of([(60 + n % (k + 3), 7 + k) for n in range(30)]) for k in range(12)]
    strangers = [replace(tune, meter=Meter(2, 4)) for tune in strangers]
    styles = {"dances": Neighbours.of(DANCES[:30]), "odd": Neighbours.of(strangers)}
    sides: tuple[Side, ...] = ("rhythm", "melody")
    for side in sides:
        found = closeness(DANCES[40], "dances", styles, side=side)
        assert found is not None
        assert found.nearer == found.others == 12
        strange = closeness(strangers[0], "dances", styles, side=side)
        assert strange is not None
        assert strange.nearer < 12
    assert closeness(DANCES[40], "dances", {"dances": styles["dances"]}, side="rhythm") is None
    against_one = closeness(DANCES[40], DANCES[40], styles, side="rhythm")
    assert against_one is not None
    assert against_one.others == 42


@settings(deadline=None, max_examples=40)
@given(tunes, tunes)
def test_distance_is_the_same_both_ways_and_between_0_and_1(a: CorpusTune, b: CorpusTune) -> None:
    one, other = profiles_of(a).rhythm, profiles_of(b).rhythm
    assert distance(one, other) == pytest.approx(distance(other, one))
    assert 0 <= distance(one, other) <= 1 + 1e-9
    assert distance(one, one) == 0


def test_the_order_of_a_tunes_notes_does_not_matter_to_its_profile() -> None:
    forth = tune_of([(60, 12), (62, 12), (64, 24), (60, 48)] * 3)
    swapped = tune_of([(64, 12), (62, 12), (60, 24), (64, 48)] * 3)
    assert profiles_of(forth).rhythm == profiles_of(swapped).rhythm


def test_neighbours_survive_their_file(tmp_path: Path) -> None:
    found = Neighbours.of(DANCES)
    found.save(tmp_path)
    assert Neighbours.load(tmp_path) == found
    assert found.company(Meter(7, 8)) is None
    assert found.company(Meter(4, 8)) == found.company(Meter(2, 4))
    (tmp_path / NEIGHBOURS).write_text('{"meters": {"7/0": 1}}')
    with pytest.raises(BrokenStyle):
        Neighbours.load(tmp_path)


def test_styles_are_mixed_evenly_and_a_style_alone_has_no_strangers() -> None:
    ours = profiles_of(DANCES[0]).rhythm
    assert closer_to_style(ours, ours, []).others == 0


@pytest.mark.parametrize("style", ["folk", "jazz"])
def test_the_shipped_styles_know_their_tunes_in_little_room(style: str) -> None:
    folder = MODELS / style
    echoes, neighbours = Echoes.load(folder), Neighbours.load(folder)
    assert echoes is not None
    assert neighbours is not None
    assert echoes.rhythm.usual is not None
    assert echoes.melody.usual is not None
    company = neighbours.company(Meter(4, 4))
    assert company is not None
    assert len(company.single) == 50
    assert (folder / ECHOES).stat().st_size + (folder / NEIGHBOURS).stat().st_size < 1_000_000


def test_echoes_can_be_made_anew_for_a_style_whose_networks_stay(tmp_path: Path) -> None:
    shipped = MODELS / "folk" / "style.toml"
    folder = tmp_path / "models" / "dances"
    folder.mkdir(parents=True)
    shutil.copy(shipped, folder)
    corpus = write_corpus(tmp_path / "dances.jsonl")
    words = ["echoes", "dances", str(corpus), "--models", str(folder.parent)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.stderr
    echoes = Echoes.load(folder)
    assert echoes is not None
    split = Split.of(DANCES)
    assert f"{len(split.training)} tunes" in result.stdout
    assert all(
        echoes.longest_melody(tune).length >= len(tune.events) - 1 for tune in split.training
    )
    assert Neighbours.load(folder) == Neighbours.of(split.training)
