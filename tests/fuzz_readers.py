"""Coverage-guided fuzzing of one reader: ``python tests/fuzz_readers.py KIND FOLDER [OPTION...]``.

`deploy/fuzz.sh` runs it for each kind. The corpus grows in FOLDER/KIND. A file that gives anything
but a reading or an MstError is written to FOLDER/found, one for each line that raised, and the
search goes on. The options are libFuzzer's.
"""

from __future__ import annotations

import sys
import traceback
from itertools import islice
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mst_core", "mido"]):
    from nasty import GOOD, nasty_files

    from mst_core.errors import MstError
    from mst_core.score import (  # noqa: F401 - instrumented, and then loaded late
        abc_read,
        midi_read,
        mxl_read,
        xml_read,
    )
    from mst_core.score.opening import read_score
    from mst_core.score.reading import Limits
    from mst_core.score.reading_wire import decode_reading, encode_reading

LIMITS = Limits(bars=400, notes=4_000, melody_notes=2_000)
_LONGEST_SEED = 4_000  # bytes of a nasty file that is worth starting from


def plant(kind: str, folder: Path) -> None:
    """Start the corpus with the good file and the short nasty ones of the kind."""
    (folder / "good").write_bytes(GOOD[kind])
    for name, data in islice(nasty_files(), 0, None, 3):
        if name.endswith(f".{kind}") and len(data) < _LONGEST_SEED:
            (folder / f"{abs(hash(data)):x}").write_bytes(data)


def check(kind: str, data: bytes) -> None:
    """Raise what is neither a reading nor a reason, or a sentence that is not one line."""
    try:
        reading = read_score(f"a.{kind}", data, limits=LIMITS)
    except MstError as error:
        if not str(error).isprintable():
            raise
        return
    if decode_reading(encode_reading(reading)) != reading:
        raise ValueError("the reading does not cross the wire")


def main() -> None:
    kind, home, *options = sys.argv[1:]
    corpus, found = Path(home, kind), Path(home, "found")
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    plant(kind, corpus)
    known: set[str] = set()

    def look(data: bytes) -> None:
        try:
            check(kind, data)
        except Exception as error:
            *_, last = traceback.extract_tb(error.__traceback__)
            place = f"{Path(last.filename).stem}-{last.lineno}-{type(error).__name__}"
            if place not in known:
                known.add(place)
                (found / f"{place}.{kind}").write_bytes(data)
                traceback.print_exc()

    atheris.Setup([sys.argv[0], str(corpus), *options], look)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
