"""Coverage-guided fuzzing of one reader: ``-m tests.tools.hostile.fuzz_readers KIND FOLDER``.

`deploy/fuzz.sh` runs it for each KIND: a suffix, or ``grown``, MusicXML that a grammar makes of the
fuzzer's bytes and that reaches more of the reader than random bytes, which are seldom XML. The
corpus grows in FOLDER/KIND. A file that gives anything but a score or an MstError is written to
FOLDER/found, one for each line that raised, and the search goes on. More options are libFuzzer's.
"""

from __future__ import annotations

import sys
import traceback
from itertools import islice
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mst_core", "mido"]):
    from mst_core.errors import MstError
    from mst_core.reading.load import load_score
    from mst_core.reading.parsed_score import Limits
    from mst_core.reading.serialization import decode_score, encode_score
    from tests.tools.hostile.files import GOOD, hostile_files

LIMITS = Limits(bars=400, notes=4_000, melody_notes=2_000)
_MAX_SEED_BYTES = 4_000  # of a hostile file that is put into the corpus


def seed_corpus(kind: str, folder: Path) -> None:
    """Write the valid file and a third of the short hostile files of a kind into its corpus."""
    (folder / "good").write_bytes(GOOD.get(kind, b"\x24\x0c" * 20))
    for name, data in islice(hostile_files(), 0, None, 3):
        if name.endswith(f".{kind}") and len(data) < _MAX_SEED_BYTES:
            (folder / f"{abs(hash(data)):x}").write_bytes(data)


_TAGS = (
    "<note>{}</note>", "<pitch>{}</pitch>", "<step>D</step>", "<octave>{0}</octave>", "<chord/>",
    "<duration>{0}</duration>", "<rest/>", "<grace/>", "<voice>{0}</voice>", "<dot/>", "<cue/>",
    "<tie type='start'/>", "<tie type='stop'/>", "<alter>{0}</alter>", "<backup>{}</backup>",
    "<forward>{}</forward>", "<attributes>{}</attributes>", "<divisions>{0}</divisions>",
    "<time>{}</time>", "<beats>{0}</beats>", "<beat-type>{0}</beat-type>", "<barline>{}</barline>",
    "<repeat direction='forward'/>", "<repeat direction='backward' times='{0}'/>",
    "<ending number='{0}' type='start'/>", "<ending number='{0}' type='stop'/>",
    "</measure><measure>", "</measure><measure implicit='yes'>", "<key>{}</key>",
    "<fifths>{0}</fifths>", "<sound tempo='{0}'/>", "<sound dacapo='yes'/>", "<staff>{0}</staff>",
    "</measure></part><part id='{0}'><measure>", "<direction>{}</direction>", "<senza-misura/>",
    "<note><pitch><step>C</step><octave>4</octave></pitch><duration>{0}</duration></note>",
    "<note><rest measure='yes'/><duration>{0}</duration></note>",
    "<bar-style>light-light</bar-style>", "<backup><duration>{0}</duration></backup>",
    "<transpose><chromatic>{0}</chromatic></transpose>",
)  # fmt: skip


def grow_score(data: bytes) -> bytes:
    """Make MusicXML of any bytes: each two choose a tag and its number, or a tag around others."""
    body: list[str] = []
    for choice, number in zip(data[::2], data[1::2], strict=False):
        tag = _TAGS[choice % len(_TAGS)]
        value = number - 8 if number < 200 else (0.5, 10**9, "", "x", 1e-9)[number % 5]
        if "{}" in tag:
            start = max(0, len(body) - number % 7)
            body[start:] = [tag.replace("{}", "".join(body[start:]))]
        else:
            body.append(tag.format(value))
    return (
        "<score-partwise><part-list><score-part id='P1'/></part-list><part id='P1'><measure>"
        f"<attributes><divisions>4</divisions></attributes>{''.join(body)}</measure></part></score-partwise>"
    ).encode()


def check(kind: str, data: bytes) -> None:
    """Raise for anything but a score or an MstError whose sentence is one printable line."""
    if kind == "grown":
        kind, data = "musicxml", grow_score(data)
    try:
        score = load_score(f"a.{kind}", data, limits=LIMITS)
    except MstError as error:
        if not str(error).isprintable():
            raise
        return
    if decode_score(encode_score(score)) != score:
        raise ValueError("the score is not decoded as it was encoded")


def main() -> None:
    kind, home, *options = sys.argv[1:]
    corpus, found = Path(home, kind), Path(home, "found")
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    seed_corpus(kind, corpus)
    known: set[str] = set()

    def try_input(data: bytes) -> None:
        try:
            check(kind, data)
        except Exception as error:
            *_, last = traceback.extract_tb(error.__traceback__)
            place = f"{Path(last.filename).stem}-{last.lineno}-{type(error).__name__}"
            if place not in known:
                known.add(place)
                (found / f"{place}.{kind}").write_bytes(data)
                if kind == "grown":
                    (found / f"{place}.musicxml").write_bytes(grow_score(data))
                traceback.print_exc()

    atheris.Setup([sys.argv[0], str(corpus), *options], try_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
