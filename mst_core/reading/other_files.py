"""Names the files that hold no readable notes: recordings, pictures, files of other programs.

People send them by mistake. Each kind has an error of its own, which says what to send instead.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from mst_core.errors import AudioFile, ForeignScore, MstError, PictureFile

_RECORDINGS = {
    ".mp3": "MP3", ".mp2": "MP2", ".wav": "WAV", ".wave": "WAV", ".ogg": "Ogg", ".oga": "Ogg",
    ".opus": "Opus", ".m4a": "M4A", ".m4b": "M4B", ".aac": "AAC", ".flac": "FLAC", ".wma": "WMA",
    ".aif": "AIFF", ".aiff": "AIFF", ".aifc": "AIFF", ".alac": "ALAC", ".amr": "AMR", ".ape": "APE",
    ".caf": "CAF", ".au": "AU", ".wv": "WavPack", ".mka": "Matroska", ".weba": "WebM",
    ".mp4": "MP4", ".m4v": "MP4", ".mov": "QuickTime", ".avi": "AVI", ".mkv": "Matroska",
    ".webm": "WebM", ".wmv": "WMV", ".mpg": "MPEG", ".mpeg": "MPEG", ".3gp": "3GP", ".flv": "FLV",
    ".ogv": "Ogg",
}  # fmt: skip
"""Suffixes of sound and video, with the names of the formats."""
_PICTURES = {
    ".pdf": "PDF", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".webp": "WebP",
    ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".heic": "HEIC", ".svg": "SVG", ".ps": "PS",
}  # fmt: skip
_MUSESCORE = ("MuseScore", "File > Export > MusicXML")
_GUITAR_PRO = ("Guitar Pro", "File > Export > MIDI")
_FINALE = ("Finale", "File > Export > MusicXML")
_SIBELIUS = ("Sibelius", "File > Export > MusicXML")
_PROGRAMS = {
    ".mscz": _MUSESCORE, ".mscx": _MUSESCORE, ".msczz": _MUSESCORE,
    ".gp": _GUITAR_PRO, ".gp3": _GUITAR_PRO, ".gp4": _GUITAR_PRO, ".gp5": _GUITAR_PRO,
    ".gpx": _GUITAR_PRO, ".gtp": _GUITAR_PRO,
    ".musx": _FINALE, ".mus": _FINALE, ".ftmx": _FINALE, ".sib": _SIBELIUS,
    ".dorico": ("Dorico", "File > Export > MusicXML"),
    ".tg": ("TuxGuitar", "File > Export > MIDI"), ".ptb": ("Power Tab", "File > Export > MIDI"),
    ".enc": ("Encore", "File > Save as MusicXML"), ".encx": ("Encore", "File > Save as MusicXML"),
    ".capx": ("capella", "File > Export > MusicXML"),
    ".cap": ("capella", "File > Export > MusicXML"),
    ".nwc": ("NoteWorthy Composer", "File > Export > MIDI"),
    ".nwctxt": ("NoteWorthy Composer", "File > Export > MIDI"),
    ".ove": ("Overture", "File > Export > MusicXML"), ".notion": ("Notion", "File > Export"),
    ".ly": ("LilyPond", r"\midi { } in the \score block"),
    ".mei": ("MEI", "Verovio or MuseScore: export as MIDI"),
    ".krn": ("Humdrum", "hum2xml, or Verovio: export as MIDI"),
    ".sgu": ("Band-in-a-Box", "File > Make a standard MIDI file"),
    ".mgu": ("Band-in-a-Box", "File > Make a standard MIDI file"),
    ".band": ("GarageBand", "drag the region out as a MIDI file"),
    ".logicx": ("Logic", "File > Export > Selection as MIDI File"),
    ".als": ("Ableton Live", "File > Export MIDI Clip"),
    ".flp": ("FL Studio", "File > Export > MIDI file"),
    ".cpr": ("Cubase", "File > Export > MIDI File"),
    ".rpp": ("Reaper", "File > Export project MIDI"),
}  # fmt: skip
"""Suffixes of other programs: the name of the program, and its command that exports notes."""

_RECORDING_STARTS = (
    (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "MP3"),
    (rb"\xff[\xf0\xf1\xf8\xf9]|ADIF", "AAC"),
    (rb"OggS.{24}.?OpusHead", "Opus"),
    (rb"OggS", "Ogg"),
    (rb"fLaC", "FLAC"),
    (rb"(RIFF|RF64)....WAVE", "WAV"),
    (rb"RIFF....AVI ", "AVI"),
    (rb"\0\0..ftypM4[AB]", "M4A"),
    (rb"\0\0..ftypqt", "QuickTime"),
    (rb"\0\0..ftyp3g", "3GP"),
    (rb"\0\0..ftyp(?!heic|heix|mif1|avif)", "MP4"),
    (rb"\0...(moov|mdat|wide)", "QuickTime"),
    (rb"FORM....AIF[FC]", "AIFF"),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
    (rb"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (rb"#!AMR", "AMR"),
    (rb"caff\0", "CAF"),
    (rb"\.snd\0", "AU"),
    (rb"MAC ..\0\0", "APE"),
    (rb"wvpk..\0", "WavPack"),
    (rb"FLV\x01", "FLV"),
    (rb"\0\0\x01[\xb3\xba]", "MPEG"),
)
_PICTURE_STARTS = (
    (rb"%PDF-", "PDF"),
    (rb"\x89PNG", "PNG"),
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"GIF8", "GIF"),
    (rb"RIFF....WEBP", "WebP"),
    (rb"II\*\0|MM\0\*", "TIFF"),
    (rb"\0\0..ftyp(heic|heix|mif1|avif)", "HEIC"),
    (rb"BM....\0\0\0\0", "BMP"),
    (rb"%!PS", "PS"),
    (rb"\s{0,99}(<\?xml[^>]{0,200}>\s{0,99})?(<!DOCTYPE svg|<svg)", "SVG"),
)
_PROGRAM_STARTS = (
    (rb".?FICHIER GUITAR PRO|BCF[SZ]", _GUITAR_PRO),
    (rb"ENIGMA BINARY FILE", _FINALE),
    (rb"\x0fSIBELIUS", _SIBELIUS),
    (rb"\s{0,99}(<\?xml[^>]{0,200}>\s{0,99})?<museScore", _MUSESCORE),
    (rb"\[NWZ\]|\[NoteWorthy|!NoteWorthyComposer", _PROGRAMS[".nwc"]),
    (rb"ptab.?\0", _PROGRAMS[".ptb"]),
    (rb"SCO[W5].{0,8}\0", _PROGRAMS[".enc"]),
    (rb"FLhd.?\0", _PROGRAMS[".flp"]),
    (rb"\s{0,99}(<\?xml[^>]{0,200}>\s{0,99})?(<\?xml-model[^>]{0,300}>\s{0,99}){0,4}<mei\b",
     _PROGRAMS[".mei"]),
)  # fmt: skip
_ARCHIVE_ENTRIES = ((".mscx", _MUSESCORE), (".gpif", _GUITAR_PRO), ("score.dat", _FINALE))
"""Ends of the names in an archive that a notation program writes."""


def error_by_suffix(shown: str) -> MstError | None:
    """Return the error for a file that another kind of program made, by its suffix.

    Args:
        shown: The name of the file as it stands in a sentence.

    Returns:
        An error that says what to send instead; None where the suffix names no such kind.
    """
    suffix = PurePosixPath(shown).suffix.lower()
    if suffix in _RECORDINGS:
        return AudioFile(shown, _RECORDINGS[suffix])
    if suffix in _PICTURES:
        return PictureFile(shown, _PICTURES[suffix])
    return ForeignScore(shown, *_PROGRAMS[suffix]) if suffix in _PROGRAMS else None


def error_by_first_bytes(shown: str, first_bytes: bytes) -> MstError | None:
    """Return the error for a file that another kind of program made, by its content.

    Args:
        shown: The name of the file as it stands in a sentence.
        first_bytes: The beginning of the file, 64 bytes or more where it is as long.

    Returns:
        An error that says what to send instead; None where the content is of no such kind.
    """
    for pattern, kind in _PICTURE_STARTS:
        if re.match(pattern, first_bytes, re.DOTALL):
            return PictureFile(shown, kind)
    for pattern, kind in _RECORDING_STARTS:
        if re.match(pattern, first_bytes, re.DOTALL):
            return AudioFile(shown, kind)
    for pattern, program in _PROGRAM_STARTS:
        if re.match(pattern, first_bytes, re.DOTALL):
            return ForeignScore(shown, *program)
    return None


def error_by_entry(name: str) -> MstError | None:
    """Return the error for an archive that holds the score of another program.

    Args:
        name: The name of one of its entries.

    Returns:
        An error that says what to send instead; None where the entry is of no such program.
    """
    for end, program in _ARCHIVE_ENTRIES:
        if name.lower().endswith(end):
            return ForeignScore("the archive", *program)
    return None
