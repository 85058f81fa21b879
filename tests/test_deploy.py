"""The files of `deploy/` agree with each other, the pins, and what is promised of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import PROJECT

DEPLOY = PROJECT / "deploy"
MAX_EXPOSURE = 2.5


def requirements() -> dict[str, tuple[str, int]]:
    """By package of `requirements.txt`: its version, and how many hashes it has."""
    text = (DEPLOY / "requirements.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z])", text.strip())
    heads = (re.match(r"([a-z0-9-]+)==([\w.]+)", block) for block in blocks)
    return {
        head[1]: (head[2], block.count("--hash=sha256:"))
        for head, block in zip(heads, blocks, strict=True)
        if head
    }


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_unit_is_less_exposed_than_promised() -> None:
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--no-pager",
            DEPLOY / "music-bot.service",
        ],
        capture_output=True,
        text=True,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    if not found:
        pytest.skip(f"this systemd judges no file: {done.stderr}")
    assert float(found[1]) < MAX_EXPOSURE


def test_the_unit_allows_what_the_parser_confines_itself_with() -> None:
    unit = (DEPLOY / "music-bot.service").read_text(encoding="utf-8")
    (spaces,) = re.findall(r"^RestrictNamespaces=(.*)$", unit, re.MULTILINE)
    (calls,) = re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE)
    assert {"user", "mnt", "net", "ipc", "uts"} <= set(spaces.split())
    assert {"@mount", "landlock_restrict_self", "seccomp"} <= set(calls.split())


def test_every_requirement_has_a_hash_and_the_version_of_the_pins() -> None:
    listed = requirements()
    assert all(hashes for _, hashes in listed.values())
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    pins: dict[str, str] = {canonicalize_name(name): version for name, version in pairs}
    with (PROJECT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    for asked in map(Requirement, [*project["dependencies"], "hatchling", "editables"]):
        assert canonicalize_name(asked.name) in listed, "run `make constraints`"
    differing = {
        name: (version, pins[name])
        for name, (version, _) in listed.items()
        if name in pins and pins[name] != version
    }
    assert differing == {}, "run `make constraints`"


def test_the_paths_of_the_runbook_are_those_of_the_unit() -> None:
    unit = (DEPLOY / "music-bot.service").read_text(encoding="utf-8")
    runbook = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for path in ("/opt/music-bot", "/etc/music-bot.env", "/var/lib/music-bot"):
        assert path in unit
        assert path in runbook
