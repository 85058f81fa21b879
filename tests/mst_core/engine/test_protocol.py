"""What engine and worker say to each other."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.engine import protocol
from mst_core.jobs import Compose, Job

orders = st.one_of(
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
@given(st.lists(orders), st.integers(1, 9))
def test_orders_cross_the_wire_unchanged_and_a_torn_one_is_the_end(
    sent: list[protocol.WorkerCommand], torn: int
) -> None:
    frames = b"".join(protocol.pack(order) for order in sent)
    stream = io.BytesIO(frames + protocol.pack(protocol.Cancel(1))[:-torn])
    received = []
    while (order := protocol.read_command(stream)) is not None:
        received.append(order)
    assert received == sent


@pytest.mark.parametrize("noise", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1"])
def test_noise_is_no_order(noise: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.read_command(io.BytesIO(noise))
