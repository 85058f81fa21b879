"""``mst`` in the shell: completion, help, and old names of commands."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner, Result

from mst_core.__main__ import main


def mst(typed: str) -> Result:
    return CliRunner().invoke(main, typed.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    call = mst(f"completion {shell}")
    assert call.exit_code == 0
    assert "_MST_COMPLETE" in call.stdout


def test_the_tab_key_completes_commands_and_styles() -> None:
    def complete(typed: str) -> set[str]:
        words = f"mst {typed}"
        env = {"_MST_COMPLETE": "bash_complete", "COMP_WORDS": words}
        env["COMP_CWORD"] = str(len(words.split(" ")) - 1)
        call = CliRunner().invoke(main, [], env=env, prog_name="mst")
        return {line.partition(",")[2] for line in call.stdout.splitlines()}

    assert complete("rer") == {"rerhythm"}
    assert complete("compose ") >= {"folk", "jazz"}
    assert complete("rerhythm a.mid --rhythm j") == {"jazz"}


def test_help_lists_every_command_under_a_heading() -> None:
    shown = mst("--help").stdout
    assert "Make music:" in shown
    for name in main.commands:
        assert re.search(rf"^  {name} ", shown, re.MULTILINE)
    assert "--like jig.mid" in mst("rerhythm --help").stdout


@pytest.mark.parametrize(("old", "new"), [("read", "inspect"), ("echoes", "fingerprint")])
def test_an_old_name_still_works_and_is_not_listed(old: str, new: str) -> None:
    shown = [mst(f"{name} --help").stdout for name in (old, new)]
    assert shown[0].replace(f"mst {old}", f"mst {new}") == shown[1]
    assert not re.search(rf"^  {old} ", mst("--help").stdout, re.MULTILINE)
