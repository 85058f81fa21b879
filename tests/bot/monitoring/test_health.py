"""Health and metrics over a real socket: what a supervisor and Prometheus see of the bot."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot import create_bot
from bot.errors import StartupError
from bot.monitoring import health
from bot.monitoring.health import HealthState, read_backlog, start_health_server, watch_lag
from bot.monitoring.metrics import Metrics
from mst_core.errors import NoSuchTune, all_errors
from tests.support.discord_env import DiscordEnv, discord_env
from tests.support.fakes import FakeEngine, make_settings
from tests.support.paths import PROJECT

READY = HealthState(gateway=True, engine=True, database=True)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


async def get(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text()


def samples(text: str) -> dict[str, float]:
    """Map each sample, such as ``mst_requests_total{outcome=done}``, to its value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@asynccontextmanager
async def serving(state: HealthState, metrics: Metrics) -> AsyncIterator[int]:
    async def read() -> HealthState:
        return state

    runner = await start_health_server(0, metrics, read)
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.fixture
async def monitored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[DiscordEnv, int]]:
    """A bot on a simulated Discord, and the port of its health."""
    monkeypatch.setattr(health, "LAG_INTERVAL_S", 3600.0)  # SimCord waits for shorter timers
    port = free_port()
    async with discord_env(tmp_path, MST_HEALTH_PORT=str(port)) as server:
        yield server, port


async def test_a_bot_that_is_not_ready_still_lives() -> None:
    async with serving(HealthState(), Metrics()) as port:
        assert await get(port, "/healthz") == (200, "ok\n")
        status, text = await get(port, "/readyz")
    assert status == 503
    assert json.loads(text)["problems"] == [
        "it is not connected to Discord",
        "the engine is not ready",
        "the database does not answer",
    ]


async def test_a_ready_bot_says_how_many_wait() -> None:
    state = HealthState(True, True, False, True, waiting=3, running=2, oldest_s=4.5)
    async with serving(state, Metrics()) as port:
        status, text = await get(port, "/readyz")
    assert status == 200
    assert json.loads(text) == {"ready": True, "problems": [], **asdict(state)}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"gateway": False}, "it is not connected to Discord"),
        ({"engine": False}, "the engine is not ready"),
        ({"closing": True}, "it is about to end"),
        ({"database": False}, "the database does not answer"),
        ({"oldest_s": 600.1}, "a request waits for more than 600 s"),
    ],
)
def test_each_problem_is_a_sentence(changes: dict[str, bool | float], problem: str) -> None:
    assert READY.problems == []
    assert HealthState(**{**asdict(READY), **changes}).problems == [problem]


@pytest.mark.parametrize(("state", "status"), [(READY, 0), (HealthState(), 1)])
async def test_the_container_is_healthy_while_the_bot_is_ready(
    state: HealthState, status: int
) -> None:
    async with serving(state, Metrics()) as port:
        assert await run_health_check(port) == status
    assert await run_health_check(port) != 0, "nothing answers"


async def run_health_check(port: int) -> int:
    environment = {"PATH": os.environ["PATH"], "MST_HEALTH_PORT": str(port)}
    script = str(PROJECT / "deploy" / "healthy.sh")
    return await (await asyncio.create_subprocess_exec(script, env=environment)).wait()


async def test_it_listens_on_this_machine_only() -> None:
    async with serving(READY, Metrics()) as port:
        for address in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}:
            if not str(address).startswith("127."):
                with pytest.raises(OSError):  # noqa: PT011 - refused, or no such route
                    await asyncio.open_connection(str(address), port)
        assert (await get(port, "/healthz"))[0] == 200


async def test_a_port_in_use_is_one_sentence() -> None:
    async with serving(READY, Metrics()) as port:
        with pytest.raises(StartupError, match=rf"MST_HEALTH_PORT: port {port} .* cannot be used"):
            await start_health_server(port, Metrics(), lambda: asyncio.sleep(0, READY))


async def test_a_database_that_hangs_or_fails_is_a_problem_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "STATE_TIMEOUT_S", 0.01)

    async def hang() -> tuple[int, int, float]:
        await asyncio.Event().wait()
        raise AssertionError

    async def fail() -> tuple[int, int, float]:
        raise OSError("disk I/O error")

    for count in (hang, fail, None):
        state = await read_backlog(count, gateway=True, engine=True, closing=False)
        assert state.problems == ["the database does not answer"]


async def test_a_blocked_event_loop_is_a_lag() -> None:
    lags: asyncio.Queue[float] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    watching = asyncio.create_task(watch_lag(lags.put_nowait, interval_s=0.001))
    await asyncio.sleep(0)
    until = loop.time() + 0.1
    while loop.time() < until:  # as code that computes in the event loop
        pass
    lag = await lags.get()
    watching.cancel()
    assert lag > 0.05


async def test_a_request_is_counted_from_its_command_to_its_delivery(
    monitored: tuple[DiscordEnv, int],
) -> None:
    server, port = monitored
    await server.alice.slash(server.channel, "compose", style="folk")
    server.engine.errors = [NoSuchTune("4 bars")]
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.alice.slash(server.channel, "compose", style="folk", meter="9/7")
    found = samples((await get(port, "/metrics"))[1])
    assert found["mst_requests_total{outcome=done}"] == 1
    assert found["mst_requests_total{outcome=failed}"] == 1
    assert found["mst_failures_total{code=NoSuchTune}"] == 1
    assert found["mst_rejections_total{code=BadOption}"] == 1
    assert found["mst_deliveries_total{outcome=delivered}"] == 2
    assert found["mst_answer_seconds_count"] == 2
    assert found["mst_stage_seconds_count{stage=composing}"] == 1
    assert found["mst_resident_memory_bytes{process=bot}"] > 10_000_000
    assert found["mst_waiting_requests"] == found["mst_running_requests"] == 0
    assert found["mst_ready"] == 1


async def test_waiting_and_running_requests_are_shown(monitored: tuple[DiscordEnv, int]) -> None:
    server, port = monitored
    server.engine.slots, server.engine.hold = 1, True
    await server.alice.slash(server.channel, "compose", style="folk")
    await server.bob.slash(server.channel, "compose", style="folk")
    await server.env.advance_time(60)
    status, text = await get(port, "/readyz")
    state = json.loads(text)
    assert (status, state["waiting"], state["running"]) == (200, 1, 1)
    assert state["oldest_s"] >= 60
    server.engine.release()


async def test_during_the_drain_the_bot_lives_and_is_not_ready(
    monitored: tuple[DiscordEnv, int],
) -> None:
    server, port = monitored
    await server.bot.drain()
    assert (await get(port, "/healthz"))[0] == 200
    status, text = await get(port, "/readyz")
    assert status == 503
    assert "it is about to end" in json.loads(text)["problems"]
    await server.bot.close()
    with pytest.raises(aiohttp.ClientError):
        await get(port, "/healthz")


async def test_a_lost_connection_to_discord_is_a_problem(
    monitored: tuple[DiscordEnv, int],
) -> None:
    server, _ = monitored
    await server.bot.on_disconnect()
    assert (await server.bot.read_health()).problems == ["it is not connected to Discord"]
    await server.bot.on_resumed()
    assert (await server.bot.read_health()).problems == []


async def test_an_engine_that_is_restarted_is_a_problem_until_it_is_back(
    monitored: tuple[DiscordEnv, int],
) -> None:
    server, port = monitored
    server.engine.problem = "it showed no sign of life for 8 seconds"
    server.engine.become(ready=False)
    status, text = await get(port, "/readyz")
    told = "the engine is not ready: it showed no sign of life for 8 seconds"
    assert (status, json.loads(text)["problems"]) == (503, [told])
    assert samples((await get(port, "/metrics"))[1])["mst_engine_ready"] == 0
    server.engine.become(ready=True)
    assert (await get(port, "/readyz"))[0] == 200


async def test_nothing_is_served_without_a_port(tmp_path: Path) -> None:
    bot = create_bot(FakeEngine(), make_settings(tmp_path))
    assert bot.metrics is None
    assert (await bot.read_health()).problems != []


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "alerts.yml"])
def test_dashboard_and_alerts_name_only_metrics_that_there_are(name: str) -> None:
    metrics = Metrics()
    metrics.request_ended("EngineLost", {"composing": 1.0})
    metrics.request_repeated("EngineLost")
    metrics.action_rejected("TooSoon")
    there = {sample.partition("{")[0] for sample in samples(metrics.render(READY).decode())}
    text = (PROJECT / "deploy" / name).read_text(encoding="utf-8")
    named = set(re.findall(r"\bmst_\w+", text))
    assert len(named) > 5
    assert named - there == set()


def test_every_code_and_outcome_of_the_alerts_is_one_that_can_be_counted() -> None:
    text = (PROJECT / "deploy" / "alerts.yml").read_text(encoding="utf-8")
    codes = {code for group in re.findall(r'code=~"([^"]+)"', text) for code in group.split("|")}
    assert codes
    assert codes <= set(all_errors())
    shown = Metrics().render(READY).decode()
    outcomes = re.findall(r'outcome="(\w+)"', text)
    assert outcomes
    assert all(f'outcome="{outcome}"' in shown for outcome in outcomes)


def test_a_cancelled_request_is_no_failure() -> None:
    metrics = Metrics()
    metrics.request_ended("Cancelled", {})
    found = samples(metrics.render(READY).decode())
    assert found["mst_requests_total{outcome=cancelled}"] == 1
    assert found["mst_requests_total{outcome=failed}"] == 0
    assert not any(name.startswith("mst_failures_total") for name in found)
