"""The bot closes its memory, its environment and its files to everybody else."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.hardening import MEANINGS, examine, is_open, log_missing_protections, protect_files
from bot.settings import forget_secrets
from mst_core.errors import ParserStopped
from mst_core.reading.sandbox.confinement import PROTECTIONS
from tests.support.paths import PROJECT

SECRET = "MTIz.not-a-token.at-all"  # noqa: S105 - it opens nothing


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_data_folder_made_by_hand_is_closed_with_its_ledger(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    ledger = data / "ledger.sqlite3"
    ledger.touch()
    data.chmod(0o755)
    ledger.chmod(0o644)
    protect_files(data)
    assert (mode(data), mode(ledger)) == (0o700, 0o600)
    assert f"{data} was open to other users" in caplog.text


def test_a_new_data_folder_is_closed_from_the_beginning(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        protect_files(tmp_path / "new" / "data")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new" / "data") == 0o700


def test_a_folder_of_something_else_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a letter").touch()
    tmp_path.chmod(0o755)
    protect_files(tmp_path)
    assert mode(tmp_path) == 0o755


@pytest.mark.parametrize(("rights", "warned"), [(0o644, True), (0o640, True), (0o600, False)])
def test_a_dotenv_that_others_can_read_is_a_warning(
    rights: int,
    warned: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    dotenv = tmp_path / ".env"
    dotenv.touch()
    dotenv.chmod(rights)
    protect_files(tmp_path / "data")
    assert (f"chmod 600 {dotenv}" in caplog.text) is warned
    assert is_open(dotenv) is warned


def test_the_token_is_removed_from_the_environment() -> None:
    environment = {"DISCORD_TOKEN": SECRET, "PATH": "/bin"}
    forget_secrets(environment)
    assert environment == {"PATH": "/bin"}


def test_a_protected_process_gives_its_token_to_no_child_and_its_environment_to_nobody() -> None:
    script = """
import ctypes, os, subprocess
from bot.hardening import protect_process
from bot.settings import forget_secrets
forget_secrets()
protect_process()
child = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
print("DISCORD_TOKEN" in child, ctypes.CDLL(None).prctl(3), oct(os.umask(0)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env={"DISCORD_TOKEN": SECRET, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "0", "0o77"]


def test_another_process_of_the_same_user_cannot_read_the_environment_of_the_bot() -> None:
    script = """
import ctypes, os
from bot.hardening import protect_process
def readable():
    bot, answer = os.getpid(), os.pipe()
    if not os.fork():
        try:
            found = b"DISCORD_TOKEN" in open(f"/proc/{bot}/environ", "rb").read()
        except OSError:
            found = False
        os.write(answer[1], b"yes" if found else b"no")
        os._exit(0)
    os.wait()
    return os.read(answer[0], 9).decode()
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65500, 65500, 65500)
    os.setresuid(65500, 65500, 65500)
ctypes.CDLL(None).prctl(4, 1)  # dumpable, as a process that a user starts
before = readable()
protect_process()
print(before, readable())
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env={"DISCORD_TOKEN": SECRET},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["yes", "no"]


def test_the_doctor_says_yes_or_no_for_each_protection_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lacks = {"landlock": "Function not implemented"}
    monkeypatch.setattr("bot.hardening.find_missing_protections", lambda: lacks)
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(0o644)
    lines = examine(tmp_path / "data")
    assert [line[:3] for line in lines[:6]] == ["yes", "yes", "yes", "yes", "NO ", "yes"]
    assert "Function not implemented; use Linux 5.13" in lines[4]
    assert any(
        line.startswith("NO ") and f"chmod 600 {tmp_path / '.env'}" in line for line in lines
    )


def test_a_protection_that_a_machine_lacks_is_in_the_log_at_the_start(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = {"seccomp": "Operation not permitted", "own user": "only root can give one"}
    monkeypatch.setattr("bot.hardening.find_missing_protections", lambda: lacks)
    with caplog.at_level(logging.INFO):
        log_missing_protections()
    confined, warning = (record.getMessage() for record in caplog.records)
    assert confined.endswith("confined by: namespaces, empty root, no capabilities, landlock")
    assert "'seccomp' (Operation not permitted)" in warning


def test_a_parser_that_does_not_start_is_an_error_in_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> dict[str, str]:
        raise ParserStopped("its reader cannot be started")

    monkeypatch.setattr("bot.hardening.find_missing_protections", fail)
    log_missing_protections()
    assert "no file of a user can be read" in caplog.text


def test_each_protection_is_explained() -> None:
    assert set(MEANINGS) == set(PROTECTIONS)
