"""Every sentence that a user can read, by key and language, from ``locale/<language>.toml``.

English is complete; where another language lacks a key, the English sentence stands in.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from mst_core.errors import MstError

LOCALE = Path(__file__).parent / "locale"
DEFAULT_LANGUAGE = "en"


class Texts:
    """The sentences of all languages, read once."""

    def __init__(self, languages: dict[str, dict[str, str]]) -> None:
        self._languages = languages

    @classmethod
    def open(cls, folder: Path = LOCALE) -> Texts:
        """Read every language of a folder."""
        return cls(
            {
                path.stem: _flatten(tomllib.loads(path.read_text(encoding="utf-8")))
                for path in sorted(folder.glob("*.toml"))
            }
        )

    def render(
        self, key: str, locale: str = DEFAULT_LANGUAGE, /, *places: object, **named: object
    ) -> str:
        """Fill the sentence of a key, in the language of a Discord locale such as ``en-US``.

        Raises:
            KeyError: when no language has the key.
        """
        for language in (locale, locale.split("-")[0], DEFAULT_LANGUAGE):
            sentence = self._languages.get(language, {}).get(key)
            if sentence is not None:
                return sentence.format(*places, **named)
        raise KeyError(key)

    def render_or(self, key: str, fallback_key: str, locale: str) -> str:
        """Say the first key if English has it, else the other."""
        return self.render(
            key if key in self._languages[DEFAULT_LANGUAGE] else fallback_key, locale
        )

    def render_error(self, error: MstError, locale: str = DEFAULT_LANGUAGE) -> str:
        """Word an error for the person who can mend it."""
        return self.render(f"errors.{error.code}", locale, *error.arguments)

    def keys(self, language: str = DEFAULT_LANGUAGE) -> frozenset[str]:
        """Return the keys that a language has."""
        return frozenset(self._languages[language])


def _flatten(table: dict[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)
    return flat
