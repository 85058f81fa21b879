"""The parser process: what it returns, and every way in which it can end."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from mst_core.errors import BadOption, NoMelody, ParserStopped, TooLong, UnreadableScore
from mst_core.reading import load
from mst_core.reading.parsed_score import Limits, Selection
from mst_core.reading.sandbox import parse, parse_sync
from mst_core.reading.sandbox.process import _decode_response, run_parser
from mst_core.reading.sandbox.protocol import ParseRequest
from mst_core.reading.sandbox.worker import respond
from mst_core.reading.serialization import decode_score
from tests.support.paths import PROJECT
from tests.tools.hostile.files import GOOD
from tests.tools.hostile.mxl import archive, container

REQUEST = ParseRequest(name="tune.mid", selection=Selection(), limits=Limits(), data=GOOD["mid"])


async def run_script(
    script: str, *, timeout_s: float = 60, request: ParseRequest = REQUEST
) -> bytes:
    """Send a request to a process that runs a Python script instead of the parser."""
    return await run_parser(request, timeout_s, 512, (sys.executable, "-c", script))


@pytest.mark.parametrize("kind", GOOD)
async def test_the_parser_process_returns_what_the_reader_returns_in_this_process(
    kind: str,
) -> None:
    name = f"tune.{kind}"
    assert decode_score(await parse(name, GOOD[kind])) == load.load_score(name, GOOD[kind])


def test_parse_sync_needs_no_event_loop() -> None:
    assert parse_sync("tune.mid", GOOD["mid"]).melody.notes


async def test_rejections_keep_their_sentences() -> None:
    with pytest.raises(NoMelody, match="no melody"):
        await parse("tune.abc", b"X:1\nK:C\nA|")
    with pytest.raises(BadOption, match="track"):
        await parse("tune.abc", GOOD["abc"], Selection(track=2))
    with pytest.raises(TooLong, match="at most 3 bars"):
        await parse("tune.musicxml", GOOD["musicxml"], limits=Limits(bars=3))


async def test_a_file_rejected_by_its_name_starts_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("asyncio.create_subprocess_exec", None)
    with pytest.raises(UnreadableScore, match=r"notes\.txt"):
        await parse("/tunes/notes.txt", b"X:1\nK:C\nABcd|")


async def test_a_process_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    script = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)"])
open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
time.sleep(999)
"""
    with pytest.raises(ParserStopped, match="it took more than 3 seconds"):
        await run_script(script, timeout_s=3)
    child = int((tmp_path / "child").read_text())
    while running(child):  # noqa: ASYNC110 - no event to wait for; pytest stops it
        await asyncio.sleep(0.01)


def running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


async def test_cancelling_kills_the_process(tmp_path: Path) -> None:
    script = f"""
import os, time
open({str(tmp_path / "parser")!r}, "w").write(str(os.getpid()) + ".")
time.sleep(999)
"""
    task = asyncio.create_task(run_script(script))
    place = tmp_path / "parser"
    while not place.exists() or not place.read_text().endswith("."):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running(int(place.read_text()[:-1]))


_RESPOND = "import msgspec, sys; sys.stdout.buffer.write(msgspec.msgpack.encode({}))"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import os; os.abort()", "its reader was ended by SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "it took too much time"),
        ("raise SystemExit(3)", "its reader ended with status 3"),
        ("pass", "its reader ended with status 0"),
        ("raise MemoryError", "its reader ended with status 1"),
        ("print('here is your melody')", "its reader ended with status 0"),
        ("print('la' * 20_000_000)", "its reader was ended by SIGKILL"),
        ("import os; os.close(0); os.close(1); os.close(2)", "its reader ended"),
        (_RESPOND.format('b"nonsense"'), "its reader ended"),
        (
            _RESPOND.format('["EngineLost", ["x"]]'),
            "ended",
        ),
        (_RESPOND.format('["TooLong", []]'), "ended"),
        (_RESPOND.format('["Fun", []]'), "ended"),
        ("import sys; sys.stdout.buffer.write(bytes([0x92, 0xA1, 0xFF, 0x90]))", "ended"),
    ],
)
async def test_however_the_process_ends_there_is_one_plain_sentence(
    script: str, words: str
) -> None:
    large = ParseRequest(
        name="tune.mid", selection=Selection(), limits=Limits(), data=bytes(3_000_000)
    )
    with pytest.raises(ParserStopped, match=words):
        await run_script(script, request=large)


async def test_the_sentence_of_a_rejection_is_cut_to_what_a_message_holds() -> None:
    with pytest.raises(UnreadableScore) as rejected:
        await run_script(_RESPOND.format('["UnreadableScore", ["x" * 5_000_000, "y"]]'))
    assert 300 < len(str(rejected.value)) < 1_000


async def test_a_rejection_of_millions_of_texts_takes_no_memory_of_the_caller() -> None:
    answer = msgspec.msgpack.encode(["UnreadableScore", ["ab"] * 2_000_000])
    tracemalloc.start()
    try:
        with pytest.raises(ParserStopped):
            _decode_response(answer, 0)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


async def test_a_parser_ends_with_the_bot_even_when_it_sleeps(tmp_path: Path) -> None:
    """A bot that was killed ends nothing, and sleep uses up no CPU seconds."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    hostile = f"""
import os, runpy, time
import mst_core.reading.sandbox.worker as worker
pipe = os.open({str(pipe)!r}, os.O_WRONLY)
def sleep(*_, **__):
    os.write(pipe, b"x")
    time.sleep(99)
worker.load_score = sleep
runpy.run_module("mst_core.reading.sandbox", run_name="__main__")
"""
    bot = f"""
import asyncio, sys
from mst_core.reading.parsed_score import Limits, Selection
from mst_core.reading.sandbox.process import run_parser
from mst_core.reading.sandbox.protocol import ParseRequest
request = ParseRequest(name="a.mid", selection=Selection(), limits=Limits(), data=b"MThd")
asyncio.run(run_parser(request, 99, 1024, (sys.executable, "-c", {hostile!r})))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", bot, cwd=PROJECT)
    said = await asyncio.to_thread(pipe.open, "rb", buffering=0)
    assert await asyncio.to_thread(said.read, 1) == b"x", "the reader has the file"
    process.kill()
    await process.wait()
    async with asyncio.timeout(10):
        assert await asyncio.to_thread(said.read, 1) == b"", "its end of the pipe is closed"
    said.close()


async def test_the_log_names_no_file(caplog: pytest.LogCaptureFixture) -> None:
    secret = ParseRequest(name="our song.mid", selection=Selection(), limits=Limits(), data=b"MThd")
    for script in ("import time; time.sleep(999)", "raise SystemExit(3)"):
        with pytest.raises(ParserStopped):
            await run_script(script, timeout_s=1, request=secret)
    assert "the parser was ended after 1 s" in caplog.text
    assert "the parser ended with status 3" in caplog.text
    assert "our song" not in caplog.text


async def test_a_process_that_cannot_be_started_gives_a_sentence() -> None:
    with pytest.raises(ParserStopped, match="cannot be started"):
        await run_parser(REQUEST, 5, 512, ("/nowhere/python",))


async def test_standard_error_is_logged_within_bounds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = (
        "import sys; sys.stderr.write('\\x1b[31mred\\n' + 'la' * 500 + '\\n' + 'x\\n' * 90_000)"
    )
    with caplog.at_level(logging.WARNING, "mst_core.reading.sandbox"), pytest.raises(ParserStopped):
        await run_script(script)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "?[31mred"
    assert max(map(len, lines)) <= 500
    assert len(lines) < 12_000


async def test_the_process_gets_no_environment_variables(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a secret")
    script = (
        "import os, sys; print(sorted({*os.environ} - {'LC_CTYPE'}), sys.argv, file=sys.stderr)"
    )
    with caplog.at_level(logging.WARNING, "mst_core.reading.sandbox"), pytest.raises(ParserStopped):
        await run_script(script)
    assert caplog.records[0].getMessage() == "[] ['-c', '512', '60']"


async def test_the_kernel_enforces_the_limits(caplog: pytest.LogCaptureFixture) -> None:
    script = """
import os, resource, sys
from mst_core.reading.sandbox.rlimits import apply_rlimits
apply_rlimits(memory_mib=int(sys.argv[1]), cpu_s=int(sys.argv[2]))
found = [resource.getrlimit(what)[1] for what in (resource.RLIMIT_NPROC, resource.RLIMIT_CORE)]
def attempt(action):
    try:
        action()
    except (MemoryError, OSError, ValueError) as error:
        found.append(type(error).__name__)
attempt(lambda: bytes(600 * 2**20))
attempt(lambda: os.write(os.memfd_create("a file"), b"data"))
attempt(lambda: [os.dup(0) for _ in range(99)])
attempt(lambda: resource.setrlimit(resource.RLIMIT_CPU, (999, 999)))
print(*found, file=sys.stderr)
"""
    with caplog.at_level(logging.WARNING, "mst_core.reading.sandbox"), pytest.raises(ParserStopped):
        await run_script(script)
    line = caplog.records[0].getMessage()
    assert line.startswith("0 0 MemoryError OSError OSError"), line


async def test_more_memory_than_allowed_gives_a_sentence() -> None:
    padded = GOOD["musicxml"].replace(b"<work>", b" " * 2**26 + b"<work>")
    heavy = archive(("META-INF/container.xml", container("score.xml")), ("score.xml", padded))
    limits = Limits(unpacked_bytes=10**9)
    with pytest.raises(ParserStopped, match="it took too much memory"):
        await parse("tune.mxl", heavy, limits=limits, memory_mib=96, timeout_s=200)


def test_a_reader_that_fails_gives_a_sentence_and_only_the_place_goes_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for error, words in (
        (KeyError("words of a song"), "the reader failed (KeyError)"),
        (RecursionError("deep"), "the reader failed (RecursionError)"),
        (MemoryError(), "too much memory"),
    ):

        def read(*arguments: object, fault: BaseException = error, **more: object) -> None:
            raise fault

        monkeypatch.setattr("mst_core.reading.sandbox.worker.load_score", read)
        response = respond(REQUEST)
        assert isinstance(response, tuple)
        code, arguments = response
        assert code == "ParserStopped"
        assert words in arguments[0]
    logged = capfd.readouterr().err
    assert "KeyError" in logged
    assert ", in read\n" in logged
    assert "words of a song" not in logged


async def test_only_the_modules_of_the_format_are_loaded() -> None:
    script = """
import sys
from mst_core.reading.load import load_score
from tests.tools.hostile.{0} import GOOD
load_score("tune.{1}", GOOD)
heavy = "torch numpy music21 verovio asyncio mido zipfile xml.parsers.expat".split()
print(*[name for name in heavy if name in sys.modules])
"""
    found = {}
    for module, suffix in (("midi", "mid"), ("abc", "abc"), ("musicxml", "musicxml")):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", script.format(module, suffix)),
            stdout=asyncio.subprocess.PIPE,
            cwd=PROJECT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        found[suffix] = set(output.decode().split())
    assert found["mid"] <= {"mido"}
    assert found["abc"] == set()
    assert found["musicxml"] <= {"xml.parsers.expat"}
