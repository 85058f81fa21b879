"""Who may ask now: limits of a user, a server and the queue, and the pause after a request."""

from __future__ import annotations

import pytest

from bot.errors import QueueFull, TooSoon
from bot.requests.admission import Admission, expected_seconds
from mst_core.job_cost import LONG_JOB_S
from mst_core.requests import Compose, Side, Transfer
from tests.support.fakes import make_new_request
from tests.support.queue_env import QueueEnv


class TwoClocks:
    """The clock of the system, which jumps, and the steady one, which does not."""

    wall = 1_000_000.0
    steady = 500.0

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks() -> TwoClocks:
    return TwoClocks()


@pytest.fixture
def admission(queue: QueueEnv, clocks: TwoClocks) -> Admission:
    queue.store._clock = lambda: clocks.wall
    return Admission(queue.store, 3, 10.0, lambda: clocks.wall, lambda: clocks.steady)


async def test_an_hour_back_makes_nobody_wait_longer(
    queue: QueueEnv, admission: Admission, clocks: TwoClocks
) -> None:
    await queue.store.add(make_new_request(user_id=1))
    admission.note(1)
    clocks.wall -= 3600
    clocks.wait(4)
    with pytest.raises(TooSoon) as caught:
        await admission.check(1, None, 1)
    assert caught.value.arguments == ("6",)
    clocks.wait(7)
    await admission.check(1, None, 1)
    admission.note(2)  # forgets the first user, of whom the store has a request of the future
    await admission.check(1, None, 1)


async def test_the_pause_holds_over_a_restart(
    queue: QueueEnv, admission: Admission, clocks: TwoClocks
) -> None:
    await queue.store.add(make_new_request(user_id=1))
    clocks.wait(4)
    with pytest.raises(TooSoon):
        await admission.check(1, None, 1)
    await admission.check(2, None, 1)


async def test_a_full_queue_refuses_in_plain_words(
    queue: QueueEnv, admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.requests.admission.MAX_WAITING_PER_SERVER", 2)
    monkeypatch.setattr("bot.requests.admission.MAX_WAITING", 3)
    for user in (1, 2):
        await queue.store.add(make_new_request(user_id=user, guild_id=10))
    with pytest.raises(QueueFull, match="2 requests are waiting"):
        await admission.check(9, 10, 1)
    with pytest.raises(QueueFull, match="2 requests are waiting"):  # those just admitted count
        await admission.check(9, 11, 1, pending_of_server=3)
    await admission.check(9, 11, 1)
    await admission.check(9, None, 1)
    await queue.store.add(make_new_request(user_id=3, guild_id=11))
    with pytest.raises(QueueFull, match="3 requests are waiting"):
        await admission.check(9, 12, 1)
    await queue.store.lease("bot", 60)
    await admission.check(9, 12, 1)


def test_more_notes_are_more_work_whatever_the_format() -> None:
    """Three hundred notes as each format writes them; and a file of thousands."""
    request = Transfer(source="a", seed=1, rhythm=Side(style="folk"))
    new = expected_seconds(Compose(pitch="folk", rhythm="folk", seed=1, bars=16), [])
    tune = [
        expected_seconds(request, [each])
        for each in [("a.mid", 2_400), ("a.abc", 900), ("A.MusicXML", 120_000), ("a.mxl", 7_500)]
    ]
    assert new < min(tune)
    assert max(tune) < 1.1 * min(tune) < LONG_JOB_S
    assert expected_seconds(request, [("symphony.mid", 28_000)]) > 40
    assert expected_seconds(request, [("a.mid", 2_400), ("b.mid", 2_400)]) > tune[0]
