"""Every sentence that a user can read, by key and language, from ``locale/<language>.toml``.

English is complete; where another language lacks a key, the English sentence is used.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from mst_core.errors import MstError

LOCALE = Path(__file__).parent / "locale"
DEFAULT_LANGUAGE = "en"


class Texts:
    """The sentences of all languages, by language and key."""

    def __init__(self, languages: dict[str, dict[str, str]]) -> None:
        self._languages = languages

    @classmethod
    def open(cls, folder: Path = LOCALE) -> Texts:
        """Read all languages of a folder; the stem of a file is its language."""
        return cls(read_sentences(folder))

    def render(
        self, key: str, locale: str = DEFAULT_LANGUAGE, /, *arguments: object, **named: object
    ) -> str:
        """Return the sentence of a key with its arguments, in a Discord locale such as ``en-US``.

        Args:
            key: The key in the locale files, such as ``errors.NoSound``.
            locale: The locale; its language is tried next, then English.
            *arguments: What replaces ``{0}``, ``{1}`` and so on.
            **named: What replaces a placeholder with a name, such as ``{tune}``.

        Raises:
            KeyError: when no language has the key.
        """
        for language in (locale, locale.split("-")[0], DEFAULT_LANGUAGE):
            sentence = self._languages.get(language, {}).get(key)
            if sentence is not None:
                return sentence.format(*arguments, **named)
        raise KeyError(key)

    def render_or(self, key: str, fallback_key: str, locale: str) -> str:
        """Return the sentence of ``key`` if English has it, else that of ``fallback_key``.

        Args:
            key: The preferred key; its sentence has no placeholders.
            fallback_key: The key that is used instead; as ``key``.
            locale: A Discord locale, such as ``en-US``.

        Raises:
            KeyError: when English has neither key.
        """
        return self.render(
            key if key in self._languages[DEFAULT_LANGUAGE] else fallback_key, locale
        )

    def render_error(self, error: MstError, locale: str = DEFAULT_LANGUAGE) -> str:
        """Return the sentence of an error, filled with its arguments.

        Args:
            error: The error; its code and its arguments are used.
            locale: A Discord locale, such as ``en-US``.

        Raises:
            KeyError: when no language has a sentence for the code of the error.
        """
        return self.render(f"errors.{error.code}", locale, *error.arguments)


def read_sentences(folder: Path = LOCALE) -> dict[str, dict[str, str]]:
    """Return the sentences of a folder by language and key, such as ``errors.NoSound``."""
    return {
        path.stem: _flatten(tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.toml"))
    }


def _flatten(table: dict[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)
    return flat
