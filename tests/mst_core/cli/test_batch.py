"""Batches: variants and their checks, without a studio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import pytest

from mst_core.cli.batch import SOURCE, BatchSpec, Variant, list_variants, validate_batch
from mst_core.cli.files import OutputSpec
from mst_core.errors import BadOption, UnknownStyle
from mst_core.requests import MAX_SEED, Side, Transfer
from tests.support.fakes import write_styles

REQUEST = Transfer(source=SOURCE, seed=7, rhythm=Side(style="folk"), pitch=Side(style="jazz"))


POLKA = Transfer(source=SOURCE, seed=7, rhythm=Side(style="polka"))


def spec(*formats: str, request: Transfer = REQUEST) -> BatchSpec:
    outputs = OutputSpec({Path(f"a.{format}"): format for format in formats}, None, formats)
    return BatchSpec(request=request, variants=(Variant(7),), outputs=outputs)


def test_every_combination_of_strengths_has_its_variants_with_the_next_seeds() -> None:
    variants = list_variants((0.5, 1), (0, 1), MAX_SEED, 2)
    assert [variant.name for variant in variants][:3] == [
        "0.50.p0.00.v1",
        "0.50.p0.00.v2",
        "0.50.p1.00.v1",
    ]
    assert len({variant.name for variant in variants}) == len(variants) == 8
    assert {variant.seed for variant in variants} == {MAX_SEED, 0}
    assert [variant.name for variant in list_variants((1,), None, 7, 1)] == ["1.00"]


def test_strengths_with_the_same_file_name_are_refused() -> None:
    with pytest.raises(BadOption, match=r"two of them are 0\.50"):
        list_variants((0.501, 0.502), None, 1, 1)
    with pytest.raises(BadOption, match=r"pitch strength .* two of them are 1\.00"):
        list_variants((1,), (1, 0.999), 1, 1)


def test_a_variant_sets_seed_and_strengths_of_the_request() -> None:
    request = spec("mid").request_for(Variant(9, 0.5, pitch_strength=0.25))
    assert (request.seed, request.strengths) == (9, {"pitch": 0.25, "rhythm": 0.5})
    assert spec("mid").request_for(Variant(9, 0.5)).strengths == {"pitch": 0.5, "rhythm": 0.5}


def test_a_batch_is_refused_when_request_and_outputs_do_not_fit(tmp_path: Path) -> None:
    models = write_styles(tmp_path)
    validate_batch(replace(spec("mid", "png"), performed=True, show_original=True), models)
    with pytest.raises(BadOption, match="it is about MIDI files"):
        validate_batch(replace(spec("abc"), performed=True), models)
    with pytest.raises(BadOption, match="it is about pictures"):
        validate_batch(replace(spec("abc"), show_original=True), models)
    with pytest.raises(click.UsageError, match="to write 2 files, name a folder"):
        validate_batch(spec("mid"), models, inputs=2)
    with pytest.raises(UnknownStyle):
        validate_batch(spec("mid", request=POLKA), models)
