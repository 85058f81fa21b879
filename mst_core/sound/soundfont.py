"""Where the instruments come from: one SoundFont file (.sf2, or .sf3 where FluidSynth reads it)."""

from __future__ import annotations

from pathlib import Path

from mst_core.errors import NoSoundFont

DEFAULT_PATHS = (
    # Debian's fluid-soundfont-gm first: the figures of this package were measured with it.
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/sounds/sf2/default-GM.sf2"),
    Path("/usr/share/soundfonts/FluidR3_GM.sf2"),
    Path("/usr/share/soundfonts/default.sf2"),
    Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
)


def find_soundfont(requested: Path | None) -> Path:
    """Return the SoundFont that was asked for, else the first of the usual ones.

    Raises:
        NoSoundFont: when the asked file is missing or is no SoundFont, or when none was asked for
            and none is installed.
    """
    if requested is not None:
        require_soundfont(requested)
        return requested
    for place in DEFAULT_PATHS:
        if place.is_file():
            require_soundfont(place)
            return place
    raise NoSoundFont(" or ".join(str(place) for place in DEFAULT_PATHS))


def require_soundfont(path: Path) -> None:
    """Look at the first bytes of a file: RIFF, a length, sfbk.

    Raises:
        NoSoundFont: when it cannot be read or begins otherwise.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise NoSoundFont(f"{path} ({error.strerror})") from error
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise NoSoundFont(f"{path} (this file is no SoundFont)")
