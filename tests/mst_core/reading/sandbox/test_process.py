"""The parser's process: what it answers, and every way in which it can end."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import pytest

from mst_core.errors import BadOption, NoMelody, ParserStopped, TooLong, UnreadableScore
from mst_core.reading import load
from mst_core.reading.parsed_score import Limits, ParsedScore
from mst_core.reading.sandbox import parse, parse_sync
from mst_core.reading.sandbox.process import run_parser
from mst_core.reading.sandbox.protocol import ParseRequest, Rejected
from mst_core.reading.sandbox.worker import respond
from tests.support.paths import PROJECT
from tests.tools.hostile.files import GOOD
from tests.tools.hostile.mxl import archive, container

ORDER = ParseRequest(name="tune.mid", track=None, limits=Limits(), data=GOOD["mid"])


async def ask(script: str, *, patience_s: float = 60, order: ParseRequest = ORDER) -> ParsedScore:
    """Give an order to a process that does something else."""
    return await run_parser(order, patience_s, 512, (sys.executable, "-c", script))


@pytest.mark.parametrize("kind", GOOD)
async def test_a_process_of_its_own_reads_what_would_be_read_here(kind: str) -> None:
    name = f"tune.{kind}"
    assert await parse(name, GOOD[kind]) == load.load_score(name, GOOD[kind])


def test_the_command_line_needs_no_loop() -> None:
    assert parse_sync("tune.mid", GOOD["mid"]).melody.notes


async def test_refusals_cross_with_their_words() -> None:
    with pytest.raises(NoMelody, match="no melody"):
        await parse("tune.abc", b"X:1\nK:C\nA|")
    with pytest.raises(BadOption, match="track"):
        await parse("tune.abc", GOOD["abc"], track=2)
    with pytest.raises(TooLong, match="at most 3 bars"):
        await parse("tune.musicxml", GOOD["musicxml"], limits=Limits(bars=3))


async def test_what_is_refused_at_sight_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.create_subprocess_exec", None)
    with pytest.raises(UnreadableScore, match=r"notes\.txt"):
        await parse("/tunes/notes.txt", b"X:1\nK:C\nABcd|")


async def test_one_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)"])
open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
time.sleep(999)
"""
    with pytest.raises(ParserStopped, match="it took more than 3 seconds"):
        await ask(script, patience_s=3)
    child = int((tmp_path / "child").read_text())
    while running(child):  # noqa: ASYNC110 - the kernel rings no bell; pytest's timeout is the limit
        await asyncio.sleep(0.01)


def running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


async def test_one_that_is_not_waited_for_is_ended(tmp_path: Path) -> None:
    script = f"""
import os, time
open({str(tmp_path / "parser")!r}, "w").write(str(os.getpid()) + ".")
time.sleep(999)
"""
    task = asyncio.create_task(ask(script))
    place = tmp_path / "parser"
    while not place.exists() or not place.read_text().endswith("."):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running(int(place.read_text()[:-1]))


_ANSWER = "import msgspec, sys; sys.stdout.buffer.write(msgspec.msgpack.encode({}))"


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
        (_ANSWER.format('{"type": "read", "reading": b"nonsense"}'), "its reader ended"),
        (_ANSWER.format('{"type": "refused", "code": "EngineLost", "arguments": ["x"]}'), "ended"),
        (_ANSWER.format('{"type": "refused", "code": "TooLong", "arguments": []}'), "ended"),
        (_ANSWER.format('{"type": "refused", "code": "Fun", "arguments": []}'), "ended"),
    ],
)
async def test_however_it_ends_there_is_one_plain_sentence(script: str, words: str) -> None:
    large = ParseRequest(name="tune.mid", track=None, limits=Limits(), data=bytes(3_000_000))
    with pytest.raises(ParserStopped, match=words):
        await ask(script, order=large)


async def test_one_that_cannot_be_started_is_a_sentence_too() -> None:
    with pytest.raises(ParserStopped, match="cannot be started"):
        await run_parser(ORDER, 5, 512, ("/nowhere/python",))


async def test_what_it_complains_of_is_logged_and_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = (
        "import sys; sys.stderr.write('\\x1b[31mred\\n' + 'la' * 500 + '\\n' + 'x\\n' * 90_000)"
    )
    with caplog.at_level(logging.WARNING, "mst_core.reading.sandbox"), pytest.raises(ParserStopped):
        await ask(script)
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "?[31mred"
    assert max(map(len, said)) <= 500
    assert len(said) < 12_000


async def test_its_surroundings_are_bare(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a secret")
    script = (
        "import os, sys; print(sorted({*os.environ} - {'LC_CTYPE'}), sys.argv, file=sys.stderr)"
    )
    with caplog.at_level(logging.WARNING, "mst_core.reading.sandbox"), pytest.raises(ParserStopped):
        await ask(script)
    assert caplog.records[0].getMessage() == "[] ['-c', '512', '60']"


async def test_the_kernel_holds_it_to_its_limits(caplog: pytest.LogCaptureFixture) -> None:
    script = """
import os, resource, sys
from mst_core.reading.sandbox.rlimits import close_in
close_in(memory_mib=int(sys.argv[1]), cpu_s=int(sys.argv[2]))
met = [resource.getrlimit(what)[1] for what in (resource.RLIMIT_NPROC, resource.RLIMIT_CORE)]
def meet(deed):
    try:
        deed()
    except (MemoryError, OSError, ValueError) as error:
        met.append(type(error).__name__)
meet(lambda: bytes(600 * 2**20))
meet(lambda: os.write(os.memfd_create("a file"), b"data"))
meet(lambda: [os.dup(0) for _ in range(99)])
meet(lambda: resource.setrlimit(resource.RLIMIT_CPU, (999, 999)))
print(*met, file=sys.stderr)
"""
    with caplog.at_level(logging.WARNING, "mst_core.reading.sandbox"), pytest.raises(ParserStopped):
        await ask(script)
    said = caplog.records[0].getMessage()
    assert said.startswith("0 0 MemoryError OSError OSError"), said


async def test_more_memory_than_allowed_is_a_plain_sentence() -> None:
    blown = GOOD["musicxml"].replace(b"<work>", b" " * 2**26 + b"<work>")
    heavy = archive(("META-INF/container.xml", container("score.xml")), ("score.xml", blown))
    limits = Limits(unpacked_bytes=10**9)
    with pytest.raises(ParserStopped, match="it took too much memory"):
        await parse("tune.mxl", heavy, limits=limits, memory_mib=96, timeout_s=200)


def test_a_reader_that_stumbles_is_a_sentence_and_its_story_goes_to_the_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for error, words in (
        (KeyError("a bug"), "stumbled over it (KeyError)"),
        (RecursionError("deep"), "stumbled over it (RecursionError)"),
        (MemoryError(), "too much memory"),
    ):

        def read(*arguments: object, fault: BaseException = error, **more: object) -> None:
            raise fault

        monkeypatch.setattr("mst_core.reading.sandbox.worker.read_score", read)
        answer = respond(ORDER)
        assert isinstance(answer, Rejected)
        assert answer.code == "ParserStopped"
        assert words in answer.arguments[0]
    assert "KeyError: 'a bug'" in capfd.readouterr().err


async def test_the_process_loads_only_what_the_suffix_needs() -> None:
    asked = """
import sys
from mst_core.reading.load import read_score
from tests.tools.hostile.{0} import GOOD
read_score("tune.{1}", GOOD)
heavy = "torch numpy music21 verovio asyncio mido zipfile xml.parsers.expat".split()
print(*[name for name in heavy if name in sys.modules])
"""
    found = {}
    for module, suffix in (("midi", "mid"), ("abc", "abc"), ("musicxml", "musicxml")):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", asked.format(module, suffix)),
            stdout=asyncio.subprocess.PIPE,
            cwd=PROJECT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0
        found[suffix] = set(said.decode().split())
    assert found["mid"] <= {"mido"}
    assert found["abc"] == set()
    assert found["musicxml"] <= {"xml.parsers.expat"}
