"""Every sentence is there, for every error, in every language."""

from __future__ import annotations

import tomllib

from bot.texts import LOCALE, Texts
from mst_core.errors import all_errors


def test_every_error_has_a_text_that_its_arguments_fill() -> None:
    texts = Texts.open()
    for code, error in all_errors().items():
        words = texts.render_error(error(*(f"argument {n}" for n in range(4))))
        assert words, code
        for place in range(4):
            said = f"{{{place}}}" in error.sentence
            assert not (f"argument {place}" in words and not said and code in error.__dict__), code


def test_every_language_has_only_known_keys_and_no_empty_sentence() -> None:
    texts = Texts.open()
    for path in LOCALE.glob("*.toml"):
        assert texts.keys(path.stem) <= texts.keys()
        assert tomllib.loads(path.read_text(encoding="utf-8"))


def test_a_language_that_lacks_a_sentence_falls_back_to_english() -> None:
    texts = Texts({"en": {"a": "yes {0}", "b": "no"}, "de": {"a": "ja {0}"}})
    assert [texts.render("a", locale, 1) for locale in ("de", "en-GB", "fr")] == [
        "ja 1", "yes 1", "yes 1",
    ]  # fmt: skip
    assert texts.render("b", "de") == "no"
