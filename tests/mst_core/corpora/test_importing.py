"""Import of a corpus from folders, archives and tune books; rejected items are named."""

from __future__ import annotations

import io
import json
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from mst_core.__main__ import main
from mst_core.corpora.files import ImportLimits, RejectedItem, open_file
from mst_core.corpora.importing import import_tunes
from mst_core.corpora.jsonl import line_from_melody
from mst_core.corpora.tunes import parse_tune, read_tunes, to_ticks
from mst_core.errors import UnreadableScore
from mst_core.music import Melody
from mst_core.notation.midi import write_midi
from mst_core.notation.musicxml import write_musicxml
from mst_core.reading.abc.read import read_abc_score
from tests.support.melodies import melodies

FIRST = "X:1\nT:The Low Road\nM:4/4\nL:1/8\nK:D\nD2 FA d2 AF|GBdB AFED|D2 FA dfaf|gece d4|\n"
SECOND = "X:2\nT:The High Road\nM:6/8\nL:1/8\nK:G\nGAB d2B|c2A BGE|DEG AGE|GAB G3|\n"
FREE = "X:3\nT:A Free Air\nM:none\nL:1/8\nK:G\nGAB d2B c2A BGE DEG AGE GAB G3|\n"
SHORT = "X:4\nT:A Call\nM:4/4\nL:1/4\nK:C\nCEGc|\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with a tune book, a score, a MIDI file, something else and a broken file."""
    folder = tmp_path / "library"
    (folder / "deeper").mkdir(parents=True)
    (folder / "book.abc").write_text(f"{FIRST}\n{SECOND}\n{FREE}\n{SHORT}")
    (folder / "deeper" / "jig.mid").write_bytes(write_midi(_other(5), program=0, title="A Jig"))
    (folder / "deeper" / "air.musicxml").write_bytes(write_musicxml(_other(-3), title="An Air"))
    (folder / "deeper" / "broken.mid").write_bytes(b"MThd and no more")
    (folder / "cover.jpg").write_bytes(b"a picture")
    (folder / ".hidden.abc").write_text(FIRST)
    return folder


def _other(step: int) -> Melody:
    """Make a melody with its own intervals: the second tune, every third note transposed."""
    melody = read_abc_score(SECOND).melody
    notes = tuple(
        type(note)(note.onset, note.duration, note.pitch + (step if place % 3 == 1 else 0))
        for place, note in enumerate(melody.notes)
    )
    return Melody(notes, melody.meter, melody.key, 165.0, melody.bar_count)


def zipped(path: Path, **files: str | bytes) -> Path:
    """Write an archive; a dot in a name is written as two underscores."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def test_every_kind_of_file_of_a_folder_becomes_tunes(library: Path) -> None:
    result = import_tunes([library])
    assert [line["id"] for line in result.lines] == ["book-1", "book-2", "air", "jig"]
    assert [line["meter"] for line in result.lines] == ["4/4", "6/8", "6/8", "6/8"]
    assert result.other_files == 1


def test_rejected_items_are_named_with_a_reason(library: Path) -> None:
    rejected = {item.name: item.reason for item in import_tunes([library]).rejected}
    assert set(rejected) == {"book.abc, book-3", "book-4", "broken.mid"}
    assert "no meter" in rejected["book.abc, book-3"]
    assert rejected["book-4"] == "it has 4 notes"


def test_an_import_gives_the_same_result_every_time(library: Path) -> None:
    assert import_tunes([library]) == import_tunes([library])


def test_a_duplicate_is_rejected(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.abc").write_text(FIRST)
    result = import_tunes([tmp_path])
    assert [line["id"] for line in result.lines] == ["one-1"]
    assert [item.reason for item in result.rejected] == ["it has the same notes as one-1"]


def test_tunes_with_the_same_number_get_different_ids(tmp_path: Path) -> None:
    (tmp_path / "book.abc").write_text(f"{FIRST}\n{SECOND.replace('X:2', 'X:1')}")
    assert [line["id"] for line in import_tunes([tmp_path]).lines] == ["book-1", "book-1-2"]


def test_an_archive_is_read_without_unpacking_it(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "tunes.zip", **{
        "book__abc": FIRST + "\n" + SECOND, "readme__txt": "a note", "__MACOSX/book__abc": "X",
    })  # fmt: skip
    result = import_tunes([archive])
    assert [line["title"] for line in result.lines] == ["The Low Road", "The High Road"]
    assert result.rejected == ()
    assert list(tmp_path.iterdir()) == [archive]


def test_a_zip_bomb_is_rejected_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", a__abc="X:1\n" + " " * 4_000_000, b__abc=FIRST)
    assert bomb.stat().st_size < 10_000
    tight = ImportLimits(file_bytes=1_000_000)
    result = import_tunes([bomb], limits=tight)
    assert [line["id"] for line in result.lines] == ["b-1"]
    assert [item.reason for item in result.rejected] == ["it unpacks to more than 1000000 bytes"]


def test_the_files_of_an_archive_are_limited_together(tmp_path: Path) -> None:
    files = {f"tune{number}__abc": FIRST + " " * 1_000 for number in range(20)}
    archive = zipped(tmp_path / "many.zip", **files)
    found = list(open_file(archive, ImportLimits(archive_bytes=5_000)))
    assert sum(len(item[1]) for item in found if isinstance(item, tuple)) <= 5_000
    assert isinstance(found[-1], RejectedItem)
    assert len(list(open_file(archive, ImportLimits(archive_files=10)))) == 1


def test_a_falsely_declared_size_does_not_raise_the_limit(tmp_path: Path) -> None:
    content = zipped(tmp_path / "lie.zip", a__abc=" " * 300_000).read_bytes()
    true, lie = (300_000).to_bytes(4, "little"), (3).to_bytes(4, "little")
    assert content.count(true) == 2
    (tmp_path / "lie.zip").write_bytes(content.replace(true, lie))
    (found,) = open_file(tmp_path / "lie.zip", ImportLimits(file_bytes=1_000))
    assert isinstance(found, RejectedItem) or len(found[1]) <= 1_000


def test_a_nested_archive_and_a_broken_one_are_rejected(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("book.abc", FIRST)
    zipped(tmp_path / "outer.zip", inner__zip=inner.getvalue())
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 torn")
    reasons = [item.reason for item in import_tunes([tmp_path]).rejected]
    assert "unpack it first" in reasons[0]
    assert "broken" in reasons[1]


@pytest.mark.parametrize("name", ["missing", "tunes.docx"])
def test_an_unreadable_source_stops_the_import(tmp_path: Path, name: str) -> None:
    (tmp_path / "tunes.docx").write_bytes(b"words")
    with pytest.raises(UnreadableScore, match=name):
        import_tunes([tmp_path / name])


@settings(max_examples=60, deadline=None)
@given(melodies(changes=True))
def test_a_line_has_the_notes_of_its_melody(melody: Melody) -> None:
    line = line_from_melody("x", "y", "z", melody)
    onsets = [Fraction(onset) for _, onset, _ in line["notes"]]
    ends = [Fraction(onset) + Fraction(length) for _, onset, length in line["notes"]]
    assert onsets == [0, *ends[:-1]]
    assert ends[-1] == melody.pickup + melody.length
    sounding = [(p, Fraction(o) - melody.pickup, Fraction(d)) for p, o, d in line["notes"] if p]
    assert sounding == [(note.pitch, note.onset, note.duration) for note in melody.notes]


@settings(max_examples=40, deadline=None)
@given(melodies(meters=("4/4", "6/8", "3/4"), wild=False))
def test_a_line_is_parsed_with_the_barlines_of_its_melody(melody: Melody) -> None:
    tune = parse_tune(line_from_melody("x", "y", "z", melody))
    assert tune.barlines == tuple(to_ticks(line) for line in melody.barlines[:-1])
    assert tune.meter == melody.meter
    assert tune.key == melody.key


def test_of_two_endings_the_second_is_kept() -> None:
    melody = read_abc_score("X:1\nM:4/4\nL:1/4\nK:C\n|:CDEF|1 GABc:|2 cBAG|]\n").melody
    line = line_from_melody("x", "y", "z", melody)
    assert [pitch for pitch, _, _ in line["notes"]] == [60, 62, 64, 65, 72, 71, 69, 67]
    assert line["bar_starts"] == ["0", "4"]


def test_the_command_writes_a_corpus_and_a_report(library: Path, tmp_path: Path) -> None:
    output = tmp_path / "mine.jsonl"
    result = CliRunner().invoke(main, ["corpus", "import", str(library), "-o", str(output)])
    assert result.exit_code == 0, result.stderr
    assert "4 tunes in" in result.stdout
    assert "3 were rejected" in result.stdout
    assert len(list(read_tunes([output]))) == 4
    assert json.loads(output.read_text().splitlines()[0])["cluster"] == "lowroad"
    report = (tmp_path / "mine.jsonl.report.txt").read_text()
    assert "broken.mid" in report
    assert "1 files that are not scores" in report


def test_an_import_without_a_tune_fails_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "call.abc").write_text(SHORT)
    output = tmp_path / "mine.jsonl"
    asked = ["corpus", "import", str(tmp_path / "call.abc"), "-o", str(output)]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert not output.exists()
