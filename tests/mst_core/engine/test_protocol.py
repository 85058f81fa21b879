"""Messages between engine and worker."""

from __future__ import annotations

import io

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.engine import protocol
from mst_core.jobs import Job
from mst_core.reading.parsed_score import ParsedScore
from mst_core.reading.serialization import encode_score
from mst_core.requests import Compose, Side, Transfer
from tests.support.fake_composer import write_scale

COMPOSE = Compose(pitch="folk", rhythm="folk", seed=1, bars=4)

commands = st.one_of(
    st.builds(protocol.Setup, st.text(), st.none() | st.text(), st.text()),
    st.builds(
        protocol.Run,
        st.integers(0, 2**60),
        st.builds(
            Job,
            st.text(),
            st.builds(Compose, pitch=st.text(), rhythm=st.text(), seed=st.integers(0, 2**31)),
        ),
    ),
    st.builds(protocol.Cancel, st.integers(0, 2**60)),
)


@settings(deadline=None)
@given(st.lists(commands), st.integers(1, 9))
def test_commands_are_decoded_as_sent_and_half_a_frame_is_the_end(
    sent: list[protocol.Setup | protocol.Run | protocol.Cancel], missing: int
) -> None:
    frames = b"".join(protocol.pack(command) for command in sent)
    stream = io.BytesIO(frames + protocol.pack(protocol.Cancel(1))[:-missing])
    received = []
    while (command := protocol.read_command(stream)) is not None:
        received.append(command)
    assert received == sent


def test_a_job_comes_out_of_its_command_with_its_parsed_files() -> None:
    score = ParsedScore("A scale", write_scale(COMPOSE), program=40)
    request = Transfer(source="a1", seed=1, rhythm=Side(like="b2"))
    encoded = encode_score(score)
    job = Job("one", request, ("abc",), encoded_scores={"a1": encoded, "b2": encoded})
    frame = io.BytesIO(protocol.pack(protocol.Run(7, job)))
    command = protocol.read_command(frame)
    assert isinstance(command, protocol.Run)
    assert (command.ticket, command.job) == (7, job)
    assert command.job.decode_scores().scores == {"a1": score, "b2": score}


@pytest.mark.parametrize("noise", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1"])
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        protocol.read_command(io.BytesIO(noise))
