"""Requests in databases: their JSON is that of version 0.1.0, letter by letter."""

from __future__ import annotations

import msgspec
import pytest

from mst_core.request_json import decode_request, encode_request
from mst_core.requests import Compose, Mashup, Request, Side, Transfer

# Written by version 0.1.0, letter by letter.
STORED: list[tuple[str, Request]] = [
    (
        '{"type":"compose","pitch":"jazz","rhythm":"folk","seed":7,"bars":8,"meter":"6/8",'
        '"key":"D","tempo":110.0}',
        Compose(pitch="jazz", rhythm="folk", seed=7, bars=8, meter="6/8", key="D", tempo=110.0),
    ),
    (
        '{"type":"rerhythm","source":"a1","seed":3,"rhythm":"folk","like":null,"strength":1.0,'
        '"meter":null,"keep_bars":null,"track":null,"pitch":null,"pitch_like":null,'
        '"pitch_strength":1.0}',
        Transfer(source="a1", seed=3, rhythm=Side(style="folk")),
    ),
    (
        '{"type":"rerhythm","source":"a1","seed":3,"rhythm":null,"like":"b2","strength":0.5,'
        '"meter":"4/4","keep_bars":"1-4,9","track":2,"pitch":"jazz","pitch_like":null,'
        '"pitch_strength":0.25}',
        Transfer(
            source="a1",
            seed=3,
            rhythm=Side(like="b2", strength=0.5),
            pitch=Side(style="jazz", strength=0.25),
            meter="4/4",
            keep_bars="1-4,9",
            track=2,
        ),
    ),
    (
        '{"type":"rerhythm","source":"a1","seed":3,"rhythm":null,"like":null,"strength":1.0,'
        '"meter":null,"keep_bars":null,"track":null,"pitch":null,"pitch_like":"b2",'
        '"pitch_strength":0.75}',
        Transfer(source="a1", seed=3, pitch=Side(like="b2", strength=0.75)),
    ),
    (
        '{"type":"mashup","source":"a1","like":"b2","seed":0,"track":2}',
        Mashup(source="a1", like="b2", track=2),
    ),
]


@pytest.mark.parametrize(("text", "request_"), STORED)
def test_a_row_of_version_0_1_0_is_read_and_written_letter_by_letter(
    text: str, request_: Request
) -> None:
    assert decode_request(text) == request_
    assert encode_request(request_) == text


def test_a_row_from_before_pitches_could_change_is_read() -> None:
    text = '{"type":"rerhythm","source":"ab","seed":3,"rhythm":"folk","strength":0.5,"track":2}'
    side = Side(style="folk", strength=0.5)
    assert decode_request(text) == Transfer(source="ab", seed=3, rhythm=side, track=2)


def test_a_text_that_is_no_request_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_request('{"type":"rerhythm","source":"a1"}')
