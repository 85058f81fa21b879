"""The change path and the selection of drafts, with similarities made up for the tests."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mst_core.transfer.change_path import Alternatives, build_path, select_drafts
from mst_core.transfer.config import TransferConfig

STRENGTHS = [step / 20 for step in range(21)]


def array(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def arbitrary_similarity(seed: int) -> Callable[[NDArray[np.int64]], float]:
    """A similarity without any order in it: a pseudo-random number for each version."""

    def similarity(values: NDArray[np.int64]) -> float:
        return float(np.random.default_rng([seed, *values.tolist()]).random())

    return similarity


def share_equal_to(target: NDArray[np.int64]) -> Callable[[NDArray[np.int64]], float]:
    """The share of notes that have the target's value."""
    return lambda values: float((values == target).mean())


@st.composite
def tunes(draw: st.DrawFn) -> tuple[NDArray[np.int64], list[Alternatives]]:
    """A tune's own values, and pieces of one or two equal places with up to four options."""
    own: list[int] = []
    pieces = []
    for _ in range(draw(st.integers(0, 5))):
        places, width = draw(st.integers(1, 2)), draw(st.integers(1, 3))
        notes = np.arange(len(own), len(own) + places * width).reshape(places, width)
        options = draw(
            st.lists(
                st.lists(st.integers(0, 9), min_size=width, max_size=width), min_size=1, max_size=4
            )
        )
        own += options[0] * places
        pieces.append(
            Alternatives(notes, tuple(np.tile(array(*each), (places, 1)) for each in options))
        )
    own += draw(st.lists(st.integers(0, 9), min_size=1, max_size=3))
    return array(*own), pieces


@given(tunes(), st.integers(0, 99))
def test_a_stronger_change_changes_no_fewer_notes_and_is_no_less_similar(
    tune: tuple[NDArray[np.int64], list[Alternatives]], seed: int
) -> None:
    own, pieces = tune
    similarity = arbitrary_similarity(seed)
    versions = [build_path(own, pieces, similarity).at(strength) for strength in STRENGTHS]
    for (_, weaker), (_, stronger) in pairwise(versions):
        assert weaker.changed <= stronger.changed
        assert (weaker.similarity or 0) <= (stronger.similarity or 0)
    for strength, (values, result) in zip(STRENGTHS, versions, strict=True):
        assert result.changed == pytest.approx((values != own).mean())
        assert result.similarity == pytest.approx(similarity(values))
        assert result.changed <= strength * versions[-1][1].changed + 1e-9


@given(tunes(), st.integers(0, 99))
def test_strength_zero_is_the_tune_as_it_is(
    tune: tuple[NDArray[np.int64], list[Alternatives]], seed: int
) -> None:
    own, pieces = tune
    values, result = build_path(own, pieces, arbitrary_similarity(seed)).at(0.0)
    assert values.tolist() == own.tolist()
    assert result.changed == 0


@given(tunes(), st.integers(0, 99))
def test_every_piece_of_a_version_has_one_of_its_options(
    tune: tuple[NDArray[np.int64], list[Alternatives]], seed: int
) -> None:
    own, pieces = tune
    for values in build_path(own, pieces, arbitrary_similarity(seed)).versions:
        for piece in pieces:
            assert values[piece.notes].tolist() in [option.tolist() for option in piece.options]


def test_the_full_strength_reaches_a_target_that_every_step_comes_nearer_to() -> None:
    own, target = array(0, 0, 0, 0), array(1, 2, 3, 4)
    pieces = [
        Alternatives(array(note)[None], (array(0)[None], array(note + 1)[None]))
        for note in range(4)
    ]
    path = build_path(own, pieces, share_equal_to(target))
    values, result = path.at(1.0)
    assert values.tolist() == target.tolist()
    assert (result.changed, result.similarity) == (1.0, 1.0)
    assert [result.changed for result in path.results] == [0, 0.25, 0.5, 0.75, 1.0]


def test_each_step_keeps_the_similarity_as_far_on_its_way_as_the_changed_notes() -> None:
    own = array(0, 0, 0, 0)
    pieces = [
        Alternatives(array(note)[None], (array(0)[None], array(1)[None])) for note in range(4)
    ]

    def similarity(values: NDArray[np.int64]) -> float:
        return float(values @ np.array([0.9, 0.2, 0.25, -0.35]))  # 1.0 in all, 0.25 a note

    path = build_path(own, pieces, similarity)
    assert path.versions[1].tolist() == [0, 0, 1, 0]
    assert path.versions[2].tolist() == [0, 1, 1, 0]


def test_the_last_version_is_wholly_changed_though_one_on_the_way_was_more_similar() -> None:
    own = array(0, 0, 0)
    pieces = [
        Alternatives(array(note)[None], (array(0)[None], array(1)[None])) for note in range(3)
    ]

    def similarity(values: NDArray[np.int64]) -> float:
        return float(values @ np.array([0.3, 0.8, -0.6]))

    path = build_path(own, pieces, similarity)
    assert path.at(1.0)[0].tolist() == [1, 1, 1]
    assert path.at(1.0)[1].changed == 1
    assert max(result.similarity or 0 for result in path.results[:-1]) < similarity(array(1, 1, 1))


def test_a_piece_waits_until_those_before_it_are_wholly_changed() -> None:
    own = array(0, 0)
    first = Alternatives(array(0)[None], (array(0)[None], array(1)[None], array(2)[None]))
    second = Alternatives(array(1)[None], (array(0)[None], array(1)[None]), after=(0,))

    def similarity(values: NDArray[np.int64]) -> float:
        return float(values @ np.array([1, 2]))

    versions = [it.tolist() for it in build_path(own, [first, second], similarity).versions]
    assert [2, 1] in versions
    assert all(version[0] == 2 for version in versions if version[1])


def test_a_step_larger_than_the_maximum_waits_until_no_smaller_one_helps() -> None:
    own = array(0, 0, 0)
    pieces = [
        Alternatives(array(0, 1)[None], (array(0, 0)[None], array(1, 1)[None])),
        Alternatives(array(2)[None], (array(0)[None], array(1)[None])),
    ]

    def similarity(values: NDArray[np.int64]) -> float:
        return float(values @ np.array([0.3, 0.3, 0.01]))

    # The straight line asks for the two notes first, since they are nearer to it.
    small = build_path(own, pieces, similarity, TransferConfig(max_step=1 / 3))
    assert small.versions[1].tolist() == [0, 0, 1]
    large = build_path(own, pieces, similarity, TransferConfig(max_step=1.0))
    assert large.versions[1].tolist() == [1, 1, 0]


def test_a_change_that_only_lowers_the_similarity_is_not_made() -> None:
    own = array(1, 1)
    piece = Alternatives(array(0, 1)[None], (array(1, 1)[None], array(0, 0)[None]))
    path = build_path(own, [piece], share_equal_to(own))
    assert [version.tolist() for version in path.versions] == [[1, 1]]


@given(tunes(), st.integers(0, 99))
def test_selected_drafts_are_no_less_similar_than_any_single_draft(
    tune: tuple[NDArray[np.int64], list[Alternatives]], seed: int
) -> None:
    own, classes = tune
    similarity = arbitrary_similarity(seed)

    def value(picks: list[int]) -> float:
        values = own.copy()
        for bar_class, pick in zip(classes, picks, strict=True):
            values[bar_class.notes] = bar_class.options[pick]
        return similarity(values)

    picks = select_drafts(own, classes, similarity)
    assert len(picks) == len(classes)
    for draft in range(max((len(each.options) for each in classes), default=0)):
        single = [min(draft, len(each.options) - 1) for each in classes]
        assert value(picks) >= value(single)


def test_each_class_can_take_the_part_of_another_draft() -> None:
    own = array(0, 0)
    classes = [
        Alternatives(array(0)[None], (array(1), array(0))),
        Alternatives(array(1)[None], (array(0), array(1))),
    ]
    assert select_drafts(own, classes, share_equal_to(array(1, 1))) == [0, 1]
