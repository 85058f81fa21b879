"""Settings are read once, and every one of them is explained in `.env.example`."""

from __future__ import annotations

import logging
import re
from itertools import pairwise
from pathlib import Path

import pytest

from bot.__main__ import RedactingFormatter
from bot.settings import PROJECT, BadSetting, Secret, Settings, read_dotenv

NOWHERE = Path("there is no such .env")


def test_every_setting_is_in_the_example_with_its_default() -> None:
    assert read_dotenv(PROJECT / ".env.example") == Settings.defaults()


def test_every_setting_of_the_example_is_explained_above_it() -> None:
    lines = (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
    for above, line in pairwise(lines):
        if re.match(r"[A-Z_]+=", line):
            assert above.startswith("# "), line


def test_the_names_of_the_contract_are_there() -> None:
    assert {
        "DISCORD_TOKEN",
        "MST_DATA_DIR",
        "MST_MODELS_DIR",
        "MST_DEVICE",
        "MST_SOUNDFONT",
        "MST_ENGINE",
        "MST_LOG_LEVEL",
    } <= set(Settings.defaults())


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("MST_DEVICE=cuda\nMST_BARS_MAX=32\n", encoding="utf-8")
    settings = Settings.from_environment({"MST_DEVICE": "cpu"}, dotenv)
    assert (settings.device, settings.bars_max, settings.log_level) == ("cpu", 32, "info")


def test_an_empty_value_means_the_default() -> None:
    settings = Settings.from_environment({"MST_DEVICE": "", "MST_SOUNDFONT": " "}, NOWHERE)
    assert settings.device == "auto"
    assert settings.soundfont is None


def test_by_default_the_models_are_those_of_the_project() -> None:
    assert Settings.from_environment({}, NOWHERE).models_dir == PROJECT / "models"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MST_DEVICE", "gpu", "one of auto, cpu, cuda"),
        ("MST_ENGINE", "cloud", "one of local"),
        ("MST_BARS_MAX", "lots", "a whole number from 4 to 64"),
        ("MST_BARS_MAX", "65", "a whole number from 4 to 64"),
        ("MST_TRYOUT_PORT", "-1", "a whole number from 0 to 65535"),
        ("MST_TRIES", "٣", "a whole number from 1 to 10"),
    ],
)
def test_an_invalid_value_is_reported_in_one_sentence(name: str, value: str, words: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.from_environment({name: value}, NOWHERE)
    assert str(caught.value) == f"{name} cannot be {value!r}: it must be {words}"


def test_a_line_of_the_file_may_be_quoted_exported_or_commented(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# a comment\n\nexport A=1\nB = 'two # words'\nC=three # words\nD=\n", encoding="utf-8"
    )
    assert read_dotenv(dotenv) == {"A": "1", "B": "two # words", "C": "three", "D": ""}


def test_a_malformed_line_is_named_without_its_text(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("A=1\nmy-secret-token\n", encoding="utf-8")
    with pytest.raises(BadSetting, match="line 2: write it as NAME=value") as caught:
        read_dotenv(dotenv)
    assert "my-secret-token" not in str(caught.value)


def test_a_secret_prints_as_asterisks() -> None:
    settings = Settings.from_environment({"DISCORD_TOKEN": "abc.def"}, NOWHERE)
    assert "abc.def" not in f"{settings} {settings!r} {settings.discord_token}"
    assert settings.discord_token.reveal() == "abc.def"
    assert not Secret("")


def test_the_log_never_shows_the_token() -> None:
    settings = Settings.from_environment({"DISCORD_TOKEN": "abc.def"}, NOWHERE)
    try:
        raise ValueError("bad token abc.def")
    except ValueError as error:
        record = logging.LogRecord(
            "discord", logging.ERROR, "", 0, "with %s", ("abc.def",), (ValueError, error, None)
        )
    text = RedactingFormatter("%(message)s", settings).format(record)
    assert "abc.def" not in text
    assert "ValueError: bad token" in text
