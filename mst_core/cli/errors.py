"""Errors as one line and an exit status: 2 when the user can correct them, else 1.

A module of its own because every command and `mst_core.__main__` need it.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from mst_core import __version__
from mst_core.errors import EngineError, MstError, SoundError
from mst_core.reading.formats import display_name, sanitize_line

_MAX_PATH_LENGTH = 300


def report_error(error: Exception, file: Path | None = None) -> int:
    """Print an error as one line.

    Args:
        error: any exception.
        file: the input that it is about, if it is about one.

    Returns:
        The exit status.
    """
    sentence, status = _sentence_and_status(error)
    if file is not None:
        path = sanitize_line(click.format_filename(file), _MAX_PATH_LENGTH)
        name = display_name(file.name)
        named = sentence.startswith((f"{name} ", f"{name}: "))
        sentence = path + (sentence.removeprefix(name) if named else f": {sentence}")
    click.echo(f"error: {' '.join(sentence.split())}", err=True)
    return status


def _sentence_and_status(error: Exception) -> tuple[str, int]:
    """Return the sentence and the exit status for an error."""
    if isinstance(error, click.ClickException):
        return error.format_message(), 2
    if isinstance(error, SoundError | EngineError):
        return f"{error} (the traceback is in {_write_log(error)})", 1
    if isinstance(error, MstError):
        return str(error), 2
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror.lower()
        return f"nothing could be written: {reason}; the traceback is in {_write_log(error)}", 1
    name = type(error).__name__
    return f"internal error: {name}; the traceback is in {_write_log(error)}", 1


def _write_log(error: Exception) -> str:
    """Write the traceback of an error into a temporary file and return its path."""
    with NamedTemporaryFile(
        "w", prefix="mst-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
    ) as log:
        log.write(f"mst {__version__} {sys.argv[1:]}\n\n")
        log.writelines(traceback.format_exception(error))
    return log.name
