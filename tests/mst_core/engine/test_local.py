"""Jobs in the local engine: a real worker process with a fake composer and synthesizer."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec import structs

from mst_core.engine import Engine
from mst_core.errors import (
    EngineBusy,
    EngineFault,
    EngineLost,
    JobTimeout,
    NoSuchTune,
    ParserStopped,
)
from mst_core.jobs import Job, Progress, Rendition
from mst_core.reading.parsed_score import ParsedScore
from mst_core.reading.serialization import encode_score
from mst_core.requests import Compose, Side, Transfer
from tests.support.engines import ask, begin, opened, perform, starts
from tests.support.fake_composer import write_scale


async def test_a_job_reports_its_progress_and_ends_with_one_rendition(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as engine:
        *progress, rendition = [event async for event in engine.run(ask(seed=5))]
        reported = [(event.stage, event.share) for event in progress if isinstance(event, Progress)]
        assert len(reported) == len(progress) > 5
        assert reported == sorted(reported, key=lambda stage_and_share: stage_and_share[1])
        assert {stage for stage, _ in reported} == {"composing", "drawing"}
        assert isinstance(rendition, Rendition)
        assert rendition.receipt.seed == 5
        assert rendition.files["abc"].startswith(b"X:1\n")
        assert engine.capacity().running == 0


async def test_eight_jobs_at_once_give_what_each_gives_alone(tmp_path: Path) -> None:
    jobs = [ask(seed=seed) for seed in range(8)]
    async with opened(tmp_path) as engine:
        together = await asyncio.gather(*[perform(engine, job) for job in jobs])
        alone = [await perform(engine, job) for job in jobs]
    assert together == alone
    assert len({rendition.files["abc"] for rendition in together}) == 8


async def test_a_parser_that_wrote_nonsense_fails_its_own_job_alone(tmp_path: Path) -> None:
    """The bytes of a parser process are first decoded, and checked, in the worker."""
    request = Transfer(source="a1", seed=1, rhythm=Side(style="folk"))
    scale = write_scale(Compose(pitch="folk", rhythm="folk", seed=1, bars=4))
    score = encode_score(ParsedScore("A scale", scale))
    async with opened(tmp_path) as engine:
        for number, nonsense in enumerate([b"", b"\xff" * 99, score[:-1], score + b"more"]):
            job = Job(f"bad {number}", request, ("abc",), encoded_scores={"a1": nonsense})
            with pytest.raises(ParserStopped, match="no score"):
                await perform(engine, job)
        good = Job("good", request, ("abc",), encoded_scores={"a1": score})
        assert (await perform(engine, good)).files["abc"]
    assert starts(tmp_path) == 1


async def test_megabytes_of_audio_arrive_at_a_slow_reader(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as engine:
        jobs = [ask(seed=seed, formats=("wav",)) for seed in range(3)]
        waiting = [await begin(engine, job) for job in jobs]
        for events in waiting:
            *_, rendition = [event async for event in events]
            assert isinstance(rendition, Rendition)
            assert len(rendition.files["wav"]) > 5_000_000


async def test_what_a_library_prints_does_not_break_the_protocol(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with opened(tmp_path) as engine:
            await perform(engine, ask("printing"))
    assert "and one in C writes this" in caplog.text


async def test_an_error_in_the_request_comes_back_unchanged(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as engine:
        with pytest.raises(NoSuchTune) as caught:
            await perform(engine, ask("unwilling"))
        assert caught.value.arguments == ("it is never content",)


async def test_a_bug_comes_back_as_a_reference_under_which_the_log_has_the_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as engine:
        with pytest.raises(EngineFault) as caught:
            await perform(engine, ask("failing"))
        await perform(engine, ask())
    [reference] = caught.value.arguments
    reported = [record for record in caplog.records if reference in record.message]
    assert [record.levelname for record in reported] == ["ERROR"]
    assert "ZeroDivisionError: a bug in the composer" in caplog.text


async def test_a_job_that_hangs_times_out_and_the_other_one_is_done(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, job_timeout_s=3) as engine:
        hanging = asyncio.create_task(perform(engine, ask("hanging")))
        other = asyncio.create_task(perform(engine, ask()))
        with pytest.raises(JobTimeout) as caught:
            await hanging
        assert not caught.value.retryable
        await other
        assert starts(tmp_path) == 2


async def test_a_long_job_gets_twice_the_time_and_its_error_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, job_timeout_s=1) as engine:
        with pytest.raises(JobTimeout) as caught:
            await perform(engine, structs.replace(ask("hanging"), is_long=True))
    assert caught.value.arguments == ("2",)


async def test_a_full_engine_is_busy(tmp_path: Path) -> None:
    async with opened(tmp_path, slots=2) as engine:
        jobs = [await begin(engine, ask("patient"))]
        waiting = asyncio.create_task(perform(engine, ask()))
        await asyncio.sleep(0)
        assert engine.capacity().free == 0
        with pytest.raises(EngineBusy) as caught:
            await perform(engine, ask(seed=2))
        assert caught.value.retryable
        await jobs[0].aclose()
        await waiting


async def test_a_cancelled_job_stops_and_frees_its_slot(tmp_path: Path) -> None:
    async with opened(tmp_path, slots=2) as engine:
        events = await begin(engine, ask("patient", seed=1))
        waiting = asyncio.create_task(perform(engine, ask("patient", seed=2)))
        await asyncio.sleep(0)
        await engine.cancel("patient-2")
        await engine.cancel("nobody-7")
        with pytest.raises(EngineLost, match="cancelled"):
            await waiting
        await engine.cancel("patient-1")
        with pytest.raises(EngineLost, match="cancelled"):
            [event async for event in events]
        await emptied(engine)
        await perform(engine, ask())


@pytest.mark.parametrize("way", ["closing the iterator", "cancelling the task"])
async def test_closing_the_event_stream_cancels_the_job(way: str, tmp_path: Path) -> None:
    async with opened(tmp_path, slots=1) as engine:
        if way == "closing the iterator":
            async with aclosing(engine.run(ask("patient"))) as events:
                await anext(events)
        else:
            listening = asyncio.create_task(perform(engine, ask("patient")))
            await asyncio.sleep(0)
            listening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await listening
        await emptied(engine)
        await perform(engine, ask())


async def emptied(engine: Engine) -> None:
    """Wait until the worker has dropped every job."""
    while engine.capacity().running:  # noqa: ASYNC110  there is no sign but this figure
        await asyncio.sleep(0.01)
