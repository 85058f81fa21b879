"""Golden requests: music that was made once is made again, note for note. All: `make golden`."""

from __future__ import annotations

import pytest

from tests.golden.golden import (
    INPUTS,
    Request,
    differences,
    near,
    read_hashes,
    read_requests,
    take,
)

MODELS = INPUTS.parents[2] / "models"


@pytest.mark.parametrize("request_", read_requests(short=True), ids=lambda each: each.name)
def test_a_golden_request_gives_the_music_it_gave(request_: Request) -> None:
    wrong = differences(take(request_), read_hashes()[request_.name], strict=False)
    assert not wrong, f"{request_.name} (mst {request_.line}) differs in {', '.join(wrong)}"


def test_every_golden_request_and_no_other_is_written_down() -> None:
    assert {*read_hashes()} == {request.name for request in read_requests()}


def test_the_short_golden_requests_are_of_each_verb_style_and_format() -> None:
    lines = [request.line.split() for request in read_requests(short=True)]
    words = {word for line in lines for word in line}
    styles = {card.parent.name for card in MODELS.glob("*/style.toml")}
    assert words >= {"compose", "transfer", "rerhythm", "mashup", *styles}
    suffixes = {word.rpartition(".")[2] for word in words if (INPUTS / word).is_file()}
    assert suffixes == {path.suffix[1:] for path in INPUTS.iterdir()}


def test_a_golden_request_that_differs_names_the_outputs_that_do() -> None:
    golden = {"tune.mid": "1", "tune.abc": "2", "tune.wav": "3", "tune.levels": "9 samples: -20.1"}
    louder = golden | {"tune.abc": "7", "tune.wav": "8", "tune.levels": "9 samples: -19.8"}
    assert differences(golden, golden, strict=True) == []
    assert differences(louder, golden, strict=False) == ["tune.abc", "tune.levels"]
    assert differences(louder, golden, strict=True) == ["tune.abc", "tune.levels", "tune.wav"]
    assert differences({}, {"tune.mid": "1"}, strict=False) == ["tune.mid"]


def test_two_sounds_are_near_when_they_are_as_long_and_about_as_loud() -> None:
    assert near("9 samples: -20.1 -60.0", "9 samples: -20.3 -60.0")
    assert not near("9 samples: -20.1 -60.0", "9 samples: -20.4 -60.0")
    assert not near("9 samples: -20.1", "8 samples: -20.1")
