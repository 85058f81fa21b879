"""The files that a command reads and writes: scores as input, renditions as output.

Output files are named one by one (``-o``) or go to a folder (``--out-dir``), where they are called
``<stem>.<strength>.<format>`` with two decimals of the strength, such as ``reel.0.50.mid``. A
strength of the pitches of their own follows as ``.p0.75``, the number of a variant as ``.v2``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from mst_core.errors import BadOption, MstError, UnreadableScore
from mst_core.jobs import FORMATS, Rendition
from mst_core.reading.formats import (
    ACCEPTED_FORMATS,
    SNIFFED_BYTES,
    ScoreFormat,
    detect_format,
    display_name,
    sanitize_line,
)
from mst_core.reading.parsed_score import Limits, ParsedScore, Selection
from mst_core.reading.sandbox import parse_sync

_MAX_TITLE_LENGTH = 100  # characters
# The log of the parser is for whoever runs the bot; a person at a shell gets the one error line.
_NULL_HANDLER = logging.NullHandler()


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """Where renditions are written: to the files of ``-o`` or to a folder, not to both."""

    files: dict[Path, str]
    """Formats of the files of ``-o`` by path."""
    folder: Path | None
    """The folder of ``--out-dir``."""
    formats: tuple[str, ...]
    """Every format that is made; ABC for standard output when there is neither."""

    def files_for(self, stem: str, variant: str) -> dict[Path, str]:
        """Return the files of one rendition with their formats.

        Args:
            stem: name of the input without suffix.
            variant: `Variant.name`.

        Raises:
            BadOption: when a folder has the name of one of the files.
        """
        if self.folder is None:
            return self.files
        files = {self.folder / f"{stem}.{variant}.{format}": format for format in self.formats}
        for path in files:
            _check_not_folder(path)
        return files


def read_score_file(
    path: Path, selection: Selection = Selection()
) -> tuple[ScoreFormat, ParsedScore]:
    """Parse a score in a process of its own.

    Args:
        path: a MIDI, ABC or MusicXML file.
        selection: which tune of a book, and which part of it is the melody.

    Raises:
        MstError: when the file cannot be read or parsed.
    """
    logging.getLogger("mst_core.reading.sandbox").addHandler(_NULL_HANDLER)
    data = read_bytes(path)
    score_format = detect_format(path.name, len(data), data[:SNIFFED_BYTES])
    return score_format, parse_sync(path.name, data, selection)


def read_target_file(path: Path) -> ParsedScore:
    """Parse a tune that is the target of others.

    Raises:
        click.ClickException: when it cannot be read or parsed; it names the file.
    """
    try:
        return read_score_file(path)[1]
    except MstError as error:
        name = display_name(str(path))
        sentence = " ".join(str(error).split())
        message = sentence if name in sentence else f"{name}: {sentence}"
        raise click.ClickException(message) from error


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, at most one byte more than the limit for parsing.

    Raises:
        UnreadableScore: when the path is missing, no regular file, or not readable.
    """
    try:
        if path.exists() and not path.is_file():  # a folder; or a pipe, which may never end
            raise UnreadableScore(f"{display_name(str(path))} is not a file", ACCEPTED_FORMATS)
        with path.open("rb") as file:
            return file.read(Limits().file_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "a name that no file can have"
        raise UnreadableScore(
            f"{display_name(str(path))}: {reason.lower()}", ACCEPTED_FORMATS
        ) from error


def title_for(score: ParsedScore, path: Path) -> str:
    """Return the title of a score, or the stem of its file when it has none.

    Args:
        score: the parsed file.
        path: where the file is; its stem is shortened to `_MAX_TITLE_LENGTH` characters.
    """
    return score.title or sanitize_line(path.stem, _MAX_TITLE_LENGTH)


def parse_outputs(outputs: Sequence[Path], folder: Path | None, formats: str | None) -> OutputSpec:
    """Check where files are to be written, before any work is done.

    Args:
        outputs: the files of ``-o``; none and no folder prints ABC.
        folder: the folder of ``--out-dir``.
        formats: the list of ``--formats``, such as ``mid,mp3``; None is MIDI.

    Raises:
        BadOption: when nothing can be written there, or the options contradict each other.
    """
    if folder is None:
        if formats is not None:
            raise BadOption("formats", formats, "they go with --out-dir; -o takes them by ending")
        files = {path: _output_format(path) for path in outputs}
        return OutputSpec(files, None, tuple(dict.fromkeys(files.values())) or ("abc",))
    if outputs:
        raise BadOption("output", outputs[0], "either -o or --out-dir is given")
    wanted = [format.strip().lower().removeprefix(".") for format in (formats or "mid").split(",")]
    for format in wanted:
        if format not in FORMATS:
            raise BadOption("formats", formats, f"choose from {','.join(FORMATS)}")
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise BadOption("out-dir", folder, f"{existing} is not a folder")
    if not os.access(existing, os.W_OK):
        raise BadOption("out-dir", folder, f"nothing can be written into {existing}")
    return OutputSpec({}, folder, tuple(dict.fromkeys(wanted)))


def page_path(path: Path, number: int) -> Path:
    """Return the file of a page of a picture: ``score.png``, then ``score-2.png``.

    Args:
        path: the file of the first page.
        number: number of the page, counted from 1.
    """
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def page_files(rendition: Rendition, files: Mapping[Path, str]) -> dict[Path, bytes]:
    """Return everything that is written of a rendition.

    Args:
        rendition: the result.
        files: the format of each file that was asked for.

    Returns:
        The contents by path; further pages of a picture follow the first, and none replaces a file
        that was asked for.
    """
    contents: dict[Path, bytes] = {}
    for path, format in files.items():
        for number, page in enumerate(rendition.pages(format), start=1):
            place = page_path(path, number)
            if number == 1 or place not in files:
                contents[place] = page
    return contents


def unique_stems(paths: Iterable[Path]) -> list[str]:
    """Return a stem for each file that no other file has.

    Of files with the same stem the first keeps it; the others get the lowest free number, as in
    ``reel-2``.
    """
    paths = list(paths)
    taken = {path.stem for path in paths}
    stems: list[str] = []
    for path in paths:
        stem, number = path.stem, 1
        while stem in stems or (number > 1 and stem in taken):
            number += 1
            stem = f"{path.stem}-{number}"
        stems.append(stem)
    return stems


def write_all_or_none(files: dict[Path, bytes]) -> None:
    """Write files: first all of them under temporary names, then rename them.

    Args:
        files: the contents by path.

    Raises:
        OSError: when one cannot be written; then none is.
    """
    ready: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            # Not named after the file, whose name may be as long as a name can be.
            with NamedTemporaryFile(dir=path.parent, prefix=".mst-", delete=False) as temporary:
                ready[path] = Path(temporary.name)
                temporary.write(content)
            ready[path].chmod(0o666 & ~_umask())
        for path, temporary_path in ready.items():
            os.replace(temporary_path, path)
    finally:
        for temporary_path in ready.values():
            with suppress(FileNotFoundError):  # it was renamed
                temporary_path.unlink()


def _output_format(path: Path) -> str:
    """Return the format that the suffix of an output names. Raises BadOption."""
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise BadOption("output", path, f"the name must end in one of .{', .'.join(FORMATS)}")
    _check_not_folder(path)
    if not path.parent.is_dir():
        raise BadOption("output", path, f"there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise BadOption("output", path, f"nothing can be written into {path.parent}")
    return format


def _check_not_folder(path: Path) -> None:
    """Raise BadOption when a folder has the name of a file that is to be written."""
    if path.is_dir():
        raise BadOption("output", path, "it is a folder; name a file")


def _umask() -> int:
    """Return the permissions that new files must not have; reading them means setting them."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
