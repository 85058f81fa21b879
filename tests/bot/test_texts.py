"""Every sentence exists in every language, for every error, with arguments that exist."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from bot.texts import DEFAULT_LANGUAGE, LOCALE, Texts, read_sentences
from mst_core.errors import all_errors
from tests.support.paths import PROJECT

STORED_CODES = [
    "LostFile",
    "TooLarge",
    "BadOption",
    "BrokenStyle",
    "EngineBusy",
    "EngineFault",
    "EngineLost",
    "JobTimeout",
    "NoEncoder",
    "NoMelody",
    "NoSound",
    "NoSoundFont",
    "NoSuchTune",
    "ParserStopped",
    "TooLong",
    "UnknownStyle",
    "UnreadableScore",
    "UnwritableRhythm",
]
"""Error codes that databases of version 0.1 may hold: those of a job, not of the intake."""


def placeholders(sentence: str) -> set[str]:
    """The names and numbers between braces."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def problems(folder: Path) -> list[str]:
    """What is wrong with the language files of a folder, each with its file and key."""
    sentences = read_sentences(folder)
    english = sentences[DEFAULT_LANGUAGE]
    found = []
    for language, texts in sentences.items():
        file = f"{language}.toml"
        found += [f"{file}: {key} is missing" for key in english.keys() - texts.keys()]
        found += [f"{file}: {key} is unknown" for key in texts.keys() - english.keys()]
        found += [f"{file}: {key} is empty" for key, text in texts.items() if not text.strip()]
        found += [
            f"{file}: {key} has other arguments than in English"
            for key, text in texts.items()
            if key in english and placeholders(text) != placeholders(english[key])
        ]
    return sorted(found)


def test_every_language_has_every_sentence_with_the_same_arguments() -> None:
    assert problems(LOCALE) == []


def test_a_language_file_with_a_problem_is_named(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('[a]\none = "1 {0}"\ntwo = "2"\nthree = "3 {x}"\n')
    (tmp_path / "de.toml").write_text('[a]\none = " "\nthree = "3 {y}"\nfour = "4"\n')
    assert problems(tmp_path) == [
        "de.toml: a.four is unknown",
        "de.toml: a.one has other arguments than in English",
        "de.toml: a.one is empty",
        "de.toml: a.three has other arguments than in English",
        "de.toml: a.two is missing",
    ]


@pytest.mark.parametrize("code", sorted(all_errors()))
def test_the_text_of_an_error_uses_only_arguments_that_the_error_has(code: str) -> None:
    text = read_sentences()[DEFAULT_LANGUAGE][f"errors.{code}"]
    assert placeholders(text) <= placeholders(all_errors()[code].sentence)


def test_every_text_of_an_error_belongs_to_an_error() -> None:
    keys = {key for key in read_sentences()[DEFAULT_LANGUAGE] if key.startswith("errors.")}
    assert keys == {f"errors.{code}" for code in all_errors()}


@pytest.mark.parametrize("code", STORED_CODES)
def test_a_code_stored_by_an_earlier_version_still_has_its_error(code: str) -> None:
    assert all_errors()[code].__name__ == code


def test_every_key_that_the_code_names_has_a_sentence() -> None:
    keys = read_sentences()[DEFAULT_LANGUAGE].keys()
    named = {
        key
        for path in (PROJECT / "bot").rglob("*.py")
        for key in re.findall(r'render(?:_or)?\(\s*"([a-z_.]+)"', path.read_text("utf-8"))
    }
    assert len(named) > 20
    assert named - keys == set()


def test_a_language_that_lacks_a_sentence_uses_the_english_one() -> None:
    texts = Texts({"en": {"a": "yes {0}", "b": "no"}, "de": {"a": "ja {0}"}})
    sentences = [texts.render("a", locale, 1) for locale in ("de", "en-GB", "fr")]
    assert sentences == ["ja 1", "yes 1", "yes 1"]
    assert texts.render("b", "de") == "no"


def test_a_key_without_a_sentence_is_an_error() -> None:
    with pytest.raises(KeyError):
        Texts({"en": {}}).render("a")
