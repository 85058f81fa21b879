"""What went wrong, as one line and a status: 2 for what a person can mend, 1 for anything else."""

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
    """Print the one line, with the ``file`` it is about where that is known; return the status."""
    sentence, status = _sentence_and_status(error)
    if file is not None:
        path = sanitize_line(click.format_filename(file), _MAX_PATH_LENGTH)
        name = display_name(file.name)
        named = sentence.startswith((f"{name} ", f"{name}: "))
        sentence = path + (sentence.removeprefix(name) if named else f": {sentence}")
    click.echo(f"error: {' '.join(sentence.split())}", err=True)
    return status


def _sentence_and_status(error: Exception) -> tuple[str, int]:
    if isinstance(error, click.ClickException):
        return error.format_message(), 2
    if isinstance(error, SoundError | EngineError):
        return f"{error} (the whole story is in {_write_log(error)})", 1
    if isinstance(error, MstError):
        return str(error), 2
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror.lower()
        return f"nothing could be written: {reason}; the whole story is in {_write_log(error)}", 1
    name = type(error).__name__
    return f"this should not happen: {name}; the whole story is in {_write_log(error)}", 1


def _write_log(error: Exception) -> str:
    with NamedTemporaryFile(
        "w", prefix="mst-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
    ) as log:
        log.write(f"mst {__version__} {sys.argv[1:]}\n\n")
        log.writelines(traceback.format_exception(error))
    return log.name
