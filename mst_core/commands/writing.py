"""Writes files together or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from mst_core.errors import BadOption
from mst_core.jobs import FORMATS, PICTURE_FORMATS


def format_of(path: Path) -> str:
    """Return the format that the ending of an output picks.

    Raises:
        BadOption: when it picks none, or when nothing can be written there.
    """
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise BadOption("output", path, f"let it end in .{', .'.join(FORMATS)}")
    check_place(path)
    if not path.parent.is_dir():
        raise BadOption("output", path, f"there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise BadOption("output", path, f"nothing can be written into {path.parent}")
    return format


def check_place(path: Path) -> None:
    """Do nothing, when no folder stands where a file is to be.

    Raises:
        BadOption: when one does.
    """
    if path.is_dir():
        raise BadOption("output", path, "it is a folder; name a file")


def check_performed(performed: bool, formats: Iterable[str]) -> None:
    """Do nothing, when what is to be played into a MIDI file has one to go to.

    Raises:
        BadOption: when no MIDI file is written.
    """
    if performed and "mid" not in formats:
        raise BadOption("performed", "yes", "it is about MIDI files, and none is asked for")


def check_compared(compared: bool, formats: Iterable[str]) -> None:
    """Do nothing, when what is to be drawn before and after has a picture to stand in.

    Raises:
        BadOption: when no picture is drawn.
    """
    if compared and not {*formats} & {*PICTURE_FORMATS}:
        raise BadOption("compare", "yes", "it is about pictures; ask for a .png or .svg")


def write_together(files: dict[Path, bytes]) -> None:
    """Write all files beside their places first, then put them there.

    Raises:
        OSError: when one cannot be written; then none is.
    """
    ready: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            # Not named after the file, whose name may be as long as a name can be.
            with NamedTemporaryFile(dir=path.parent, prefix=".mst-", delete=False) as beside:
                ready[path] = Path(beside.name)
                beside.write(content)
            ready[path].chmod(0o666 & ~_umask())
        for path, beside_path in ready.items():
            os.replace(beside_path, path)
    finally:
        for beside_path in ready.values():
            with suppress(FileNotFoundError):  # it is in its place
                beside_path.unlink()


def _umask() -> int:
    """Return what the person's files are not to allow; there is no way to ask but to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
