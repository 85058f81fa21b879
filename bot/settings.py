"""The settings: each from the environment, else from `.env`, else its default.

No other module reads the environment. Units are at the end of a name: ``_s`` seconds, ``_mb`` MB.
Why without a library: docs/decisions.md#settings-library.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from mst_core.reading.parsed_score import Limits
from mst_core.requests import BARS_RANGE
from mst_core.styles import default_models_dir

PROJECT = Path(__file__).resolve().parent.parent


class BadSetting(Exception):
    """An invalid setting; the message is one sentence that never shows a secret."""


class Secret:
    """A text that prints as asterisks; `reveal` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "'**********'" if self._text else "''"

    __str__ = __repr__


def _integer(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return text.lower()

    return read


def _project_path(text: str) -> Path:
    # Relative to the project, because the styles are part of it.
    return default_models_dir() if text == "models" else PROJECT / text


def _optional_path(text: str) -> Path | None:
    return Path(text) if text else None


def _setting(name: str, default: str, read: Callable[[str], Any]) -> dict[str, Any]:
    return {"name": name, "default": default, "read": read}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the bot. `.env.example` explains each."""

    discord_token: Secret = field(metadata=_setting("DISCORD_TOKEN", "", Secret))
    data_dir: Path = field(metadata=_setting("MST_DATA_DIR", "data", Path))
    models_dir: Path = field(metadata=_setting("MST_MODELS_DIR", "models", _project_path))
    device: str = field(metadata=_setting("MST_DEVICE", "auto", _one_of("auto", "cpu", "cuda")))
    soundfont: Path | None = field(metadata=_setting("MST_SOUNDFONT", "", _optional_path))
    engine: str = field(metadata=_setting("MST_ENGINE", "local", _one_of("local")))
    log_level: str = field(
        metadata=_setting("MST_LOG_LEVEL", "info", _one_of("debug", "info", "warning", "error"))
    )
    log_format: str = field(metadata=_setting("MST_LOG_FORMAT", "text", _one_of("text", "json")))
    engine_slots: int = field(metadata=_setting("MST_ENGINE_PLACES", "8", _integer(1, 64)))
    job_timeout_s: int = field(metadata=_setting("MST_JOB_TIMEOUT_S", "120", _integer(5, 800)))
    drain_s: int = field(metadata=_setting("MST_DRAIN_S", "5", _integer(0, 300)))
    bars_max: int = field(
        metadata=_setting("MST_BARS_MAX", str(BARS_RANGE[1]), _integer(*BARS_RANGE))
    )
    upload_bytes: int = field(
        metadata=_setting("MST_UPLOAD_BYTES", str(Limits().file_bytes), _integer(1_000, 25_000_000))
    )
    upload_quota_mb: int = field(
        metadata=_setting("MST_UPLOAD_ROOM_MB", "100", _integer(50, 100_000))
    )
    upload_days: int = field(metadata=_setting("MST_UPLOAD_DAYS", "90", _integer(0, 36_500)))
    history_days: int = field(metadata=_setting("MST_HISTORY_DAYS", "365", _integer(0, 36_500)))
    data_quota_mb: int = field(
        metadata=_setting("MST_DATA_ROOM_MB", "4000", _integer(500, 10_000_000))
    )
    disk_free_mb: int = field(metadata=_setting("MST_DISK_FREE_MB", "500", _integer(0, 10_000_000)))
    max_open_per_user: int = field(metadata=_setting("MST_OPEN_PER_USER", "3", _integer(1, 1000)))
    cooldown_s: int = field(metadata=_setting("MST_COOLDOWN_S", "2", _integer(0, 86_400)))
    max_tries: int = field(metadata=_setting("MST_TRIES", "3", _integer(1, 10)))
    health_port: int = field(metadata=_setting("MST_HEALTH_PORT", "0", _integer(0, 65_535)))
    preview_port: int = field(metadata=_setting("MST_TRYOUT_PORT", "8780", _integer(0, 65_535)))

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, dotenv: Path = Path(".env")
    ) -> Self:
        """Read every setting; an empty value means the default.

        Args:
            environment: The variables; by default those of the process.
            dotenv: The ``.env`` file, which may be absent.

        Raises:
            BadSetting: naming the first invalid setting and its valid values.
        """
        found = read_dotenv(dotenv) | dict(os.environ if environment is None else environment)
        return cls(**{one.name: _read_setting(one, found) for one in fields(cls)})

    @classmethod
    def defaults(cls) -> dict[str, str]:
        """Return the default of each setting by its name, as `.env.example` writes it."""
        return {one.metadata["name"]: one.metadata["default"] for one in fields(cls)}


def forget_secrets(environment: MutableMapping[str, str] = os.environ) -> None:
    """Remove the token from the environment, once it was read: no child process gets it."""
    environment.pop("DISCORD_TOKEN", None)


def _read_setting(one: Field[Any], found: Mapping[str, str]) -> Any:
    name = one.metadata["name"]
    text = found.get(name, "").strip() or one.metadata["default"]
    try:
        return one.metadata["read"](text)
    except ValueError as error:
        raise BadSetting(f"{name} cannot be {text!r}: it must be {error}") from error


def read_dotenv(path: Path) -> dict[str, str]:
    """Read lines of ``NAME=value``; quotes around a value and ``export`` before a name are dropped.

    Raises:
        BadSetting: naming the number of a malformed line, but not its text, which may be secret.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} cannot be read: {type(error).__name__}") from error
    found = {}
    for number, line in enumerate(lines, start=1):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals:
            raise BadSetting(f"{path}, line {number}: write it as NAME=value")
        found[name.strip()] = _unquote(value.strip())
    return found


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #")[0].strip()
