"""Which renditions a call asks for, and the names of their files.

In a folder they are ``<stem>.<strength>.<format>``, the strength with two decimals,
``<stem>.<strength>.p<strength>.<format>`` where the pitches have one of their own, and
``<stem>.<strength>.v<k>.<format>`` where there are several variants. Of files with the same stem
the first keeps it, the next are ``<stem>-2``, ``<stem>-3``, by numbers that no other file has.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mst_core.cli.writing import check_place, format_of

from mst_core.errors import BadOption
from mst_core.jobs import FORMATS
from mst_core.requests import next_seed


@dataclass(frozen=True, slots=True)
class Version:
    """One way to change a tune."""

    strength: float
    seed: int
    variant: int = 0
    """Counted from 1; 0 where there is only one."""
    pitch_strength: float | None = None
    """Where the pitches have one of their own."""

    @property
    def name(self) -> str:
        """Such as ``0.50``, ``0.50.p1.00`` or ``0.50.v2``."""
        pitches = "" if self.pitch_strength is None else f".p{self.pitch_strength:.2f}"
        variant = f".v{self.variant}" if self.variant else ""
        return f"{self.strength:.2f}{pitches}{variant}"


@dataclass(frozen=True, slots=True)
class Places:
    """Where files go: those named one by one, or a folder. At most one of the two."""

    outputs: dict[Path, str]
    """Paths with their formats."""
    folder: Path | None
    formats: tuple[str, ...]
    """Every format that is made."""

    def name(self, stem: str, version: Version) -> dict[Path, str]:
        """The files of one rendition with their formats.

        Raises:
            BadOption: when a folder stands where one is to be.
        """
        if self.folder is None:
            return self.outputs
        files = {self.folder / f"{stem}.{version.name}.{format}": format for format in self.formats}
        for path in files:
            check_place(path)
        return files


def find_places(outputs: Sequence[Path], folder: Path | None, formats: str | None) -> Places:
    """Read where files are to go, before any work is done; nothing at all prints ABC.

    Raises:
        BadOption: when nothing can be written there.
    """
    if folder is None:
        if formats is not None:
            raise BadOption("formats", formats, "they go with --out-dir; -o takes them by ending")
        named = {path: format_of(path) for path in outputs}
        return Places(named, None, tuple(dict.fromkeys(named.values())) or ("abc",))
    if outputs:
        raise BadOption("output", outputs[0], "either -o or --out-dir is given")
    wanted = [format.strip().lower().removeprefix(".") for format in (formats or "mid").split(",")]
    for format in wanted:
        if format not in FORMATS:
            raise BadOption("formats", formats, f"choose from {','.join(FORMATS)}")
    ground = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not ground.is_dir():
        raise BadOption("out-dir", folder, f"{ground} is not a folder")
    if not os.access(ground, os.W_OK):
        raise BadOption("out-dir", folder, f"nothing can be written into {ground}")
    return Places({}, folder, tuple(dict.fromkeys(wanted)))


def find_versions(
    strengths: Sequence[float], pitch_strengths: Sequence[float] | None, seed: int, variants: int
) -> tuple[Version, ...]:
    """List the versions of every tune; the k-th variant has the k-th seed from ``seed`` on.

    Raises:
        BadOption: when two strengths would have the same name.
    """
    for option, chosen in (("strength", strengths), ("pitch strength", pitch_strengths or ())):
        names = [f"{strength:.2f}" for strength in chosen]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise BadOption(option, chosen[place], f"two of them are {name}")
    return tuple(
        Version(strength, next_seed(seed, step), step + 1 if variants > 1 else 0, pitch_strength)
        for strength in strengths
        for pitch_strength in ((None,) if pitch_strengths is None else pitch_strengths)
        for step in range(variants)
    )


def find_stems(files: Iterable[Path]) -> list[str]:
    """Give each file a stem of its own."""
    files = list(files)
    taken = {file.stem for file in files}
    stems: list[str] = []
    for file in files:
        stem, number = file.stem, 1
        while stem in stems or (number > 1 and stem in taken):
            number += 1
            stem = f"{file.stem}-{number}"
        stems.append(stem)
    return stems
