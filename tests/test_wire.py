"""What engine and worker say to each other."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.engine import wire
from mst_core.jobs import Compose, Job

orders = st.one_of(
    st.builds(wire.Setup, st.text(), st.none() | st.text(), st.text()),
    st.builds(
        wire.Run,
        st.integers(0, 2**60),
        st.builds(Job, st.text(), st.builds(Compose, st.text(), st.text(), st.integers(0, 2**31))),
    ),
    st.builds(wire.Cancel, st.integers(0, 2**60)),
)


@settings(deadline=None)
@given(st.lists(orders), st.integers(1, 9))
def test_orders_cross_the_wire_unchanged_and_a_torn_one_is_the_end(
    sent: list[wire.ToWorker], torn: int
) -> None:
    frames = b"".join(wire.pack(order) for order in sent)
    stream = io.BytesIO(frames + wire.pack(wire.Cancel(1))[:-torn])
    received = []
    while (order := wire.read_order(stream)) is not None:
        received.append(order)
    assert received == sent


@pytest.mark.parametrize("noise", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1"])
def test_noise_is_no_order(noise: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.read_order(io.BytesIO(noise))
