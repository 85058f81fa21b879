"""Variants of a tune are clustered, and no split separates them."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.corpora.tunes import parse_tune
from mst_core.corpora.variants import add_clusters, cluster_names, normalize_title
from mst_core.training.train_style import CorpusSplit


def tune(number: int, title: str = "", *, notes: int = 64) -> dict[str, Any]:
    """A line of even eighths in 4/4, drawn at random and unlike any other number's."""
    draw = random.Random(number)
    pitches = [62 + draw.choice((0, 2, 4, 5, 7, 9, 11, 12)) for _ in range(notes)]
    return {
        "id": f"tune-{number}",
        "title": title or f"Number {chr(97 + number % 26)}{chr(97 + number // 26)}",
        "meter": "4/4",
        "key": "Dmaj",
        "notes": [[pitch, f"{n}/2", "1/2"] for n, pitch in enumerate(pitches)],
        "bar_starts": [str(4 * bar) for bar in range(notes // 8)],
        "pickup": "0",
    }


def changed(line: dict[str, Any], name: str, **fields: Any) -> dict[str, Any]:
    return line | {"id": name, "title": f"Another {name}"} | fields


def test_unrelated_tunes_are_in_clusters_of_their_own() -> None:
    names = cluster_names([tune(number) for number in range(20)])
    assert len(set(names)) == 20


def test_titles_are_compared_without_case_articles_and_punctuation() -> None:
    lines = [
        tune(1, "The Miller's Maid"),
        tune(2, "Millers Maid, The"),
        tune(3, "MILLER'S MAID -- A"),
    ]
    assert cluster_names(lines) == ["millersmaid"] * 3


@pytest.mark.parametrize("title", ["Untitled", "Reel", "", "Slow Air", "Hornpipe No. 3"])
def test_a_generic_title_joins_nothing(title: str) -> None:
    first, second = (tune(number) | {"title": title} for number in (1, 2))
    assert len(set(cluster_names([first, second]))) == 2


def test_numbers_within_words_distinguish_titles() -> None:
    assert normalize_title("Quick Step 25th Regt.") != normalize_title("Quick Step 42d Regt.")


def test_a_tune_in_another_key_is_a_variant() -> None:
    line = tune(1)
    higher = [[pitch + 5, onset, length] for pitch, onset, length in line["notes"]]
    assert len(set(cluster_names([line, changed(line, "b", notes=higher)]))) == 1


def test_a_tune_in_halved_values_is_a_variant() -> None:
    line = tune(1)
    halved = [[p, str(Fraction(o) / 2), str(Fraction(d) / 2)] for p, o, d in line["notes"]]
    small = changed(line, "b", notes=halved, meter="2/4",
                    bar_starts=[str(2 * bar) for bar in range(8)])  # fmt: skip
    assert len(set(cluster_names([line, small]))) == 1


def test_a_tune_with_half_of_another_one_is_a_variant() -> None:
    line, other = tune(1), tune(2)
    mixed = other["notes"][:32] + line["notes"][32:]
    assert len(set(cluster_names([line, changed(line, "b", notes=mixed)]))) == 1


def test_a_shared_bar_makes_no_variant() -> None:
    line, other = tune(1), tune(2)
    mixed = other["notes"][:16] + line["notes"][16:27] + other["notes"][27:]
    assert len(set(cluster_names([line, changed(line, "b", notes=mixed)]))) == 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=30), st.randoms(use_true_random=False))
def test_variants_are_always_in_the_same_part(numbers: list[int], draw: random.Random) -> None:
    lines = []
    for place, number in enumerate(numbers):
        line = tune(number)
        moved = draw.randint(-4, 4)
        notes = [[pitch + moved, onset, length] for pitch, onset, length in line["notes"]]
        lines.append(changed(line, f"{number}-{place}", notes=notes))
    split = CorpusSplit.by_cluster([parse_tune(line) for line in add_clusters(lines)])
    parts = [
        {tune.id.partition("-")[0] for tune in part}
        for part in (split.training, split.validation, split.test)
    ]
    assert sum(len(part) for part in parts) == len(set(numbers))


def test_the_order_of_the_files_does_not_change_the_clusters() -> None:
    lines = [tune(number % 30, notes=64 + 8 * (number // 30)) for number in range(60)]
    there, back = (
        {line["id"] + str(len(line["notes"])): line["cluster"] for line in add_clusters(some)}
        for some in (lines, lines[::-1])
    )
    assert there == back
