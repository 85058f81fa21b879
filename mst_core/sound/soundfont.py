"""Finds and checks the SoundFont (.sf2, or .sf3 where FluidSynth supports it).

It stands alone because `bot` and the studio look for a SoundFont before any synthesizer is loaded.
"""

from __future__ import annotations

from pathlib import Path

from mst_core.errors import NoSoundFont

DEFAULT_PATHS = (
    # First that of Debian's fluid-soundfont-gm, with which the loudness was measured.
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/sounds/sf2/default-GM.sf2"),
    Path("/usr/share/soundfonts/FluidR3_GM.sf2"),
    Path("/usr/share/soundfonts/default.sf2"),
    Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
)


def find_soundfont(requested: Path | None) -> Path:
    """Return the requested SoundFont, or else the first that exists of `DEFAULT_PATHS`.

    Args:
        requested: the file to use, or None for the default.

    Returns:
        The path of a SoundFont.

    Raises:
        NoSoundFont: when the requested file is missing or is not a SoundFont, or when none was
            requested and none is installed.
    """
    if requested is not None:
        require_soundfont(requested)
        return requested
    for path in DEFAULT_PATHS:
        if path.is_file():
            require_soundfont(path)
            return path
    raise NoSoundFont(" or ".join(str(path) for path in DEFAULT_PATHS))


def require_soundfont(path: Path) -> None:
    """Check the first 12 bytes of a file: ``RIFF``, a length, ``sfbk``.

    Args:
        path: the file.

    Raises:
        NoSoundFont: when it cannot be read or begins with other bytes.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise NoSoundFont(f"{path} ({error.strerror})") from error
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise NoSoundFont(f"{path} (this file is not a SoundFont)")
