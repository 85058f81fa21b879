"""``make golden``: make the music of every golden request and compare it with what it was.

    .venv/bin/python -m tests.golden.golden [--short] [--write] [--only WORDS]

A change that is to change no music must leave ``hashes.json`` as it is. The requests go through
the command line and nothing else of the project, so that they outlive a rearrangement of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shlex
import sys
import time
import tomllib
import wave
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mido
import numpy as np
from click.testing import CliRunner

from mst_core.__main__ import main as mst

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs"
HASHES = HERE / "hashes.json"
FORMATS = ("mid", "musicxml", "abc", "svg")
DIGITS = 16  # of each hash: enough that no two meet by chance
ENVIRONMENT = {"MST_MODELS_DIR": None, "MST_DEVICE": "cpu"}
VOLATILE = ("version",)
"""What a receipt says of the program and not of the tune."""
ENGRAVER = re.compile(r"<desc>Engraved by Verovio [^<]*</desc>")
STEP = 0.25  # seconds that a level is taken over
FLOOR = -60.0  # dB; what is softer counts as silence
TOLERANCE = 0.2  # dB between the levels of two processors

Print = dict[str, Any]
"""Map each output of a request to its hash, its receipt or its levels."""


@dataclass(frozen=True, slots=True)
class Request:
    """One golden request."""

    name: str
    line: str
    sound: bool = False
    short: bool = False
    many: bool = False
    """Several versions come out."""


def read_requests(*, short: bool = False) -> list[Request]:
    """All golden requests, or the few of the ordinary tests."""
    listed = tomllib.loads((HERE / "requests.toml").read_text(encoding="utf-8"))
    requests = [
        Request(f"{group}/{name}", **words)
        for group, named in listed.items()
        for name, words in named.items()
    ]
    return [request for request in requests if request.short or not short]


def read_hashes() -> dict[str, Print]:
    """What each request gave when it was last written down."""
    hashes: dict[str, Print] = json.loads(HASHES.read_text(encoding="utf-8"))
    return hashes


def take(request: Request) -> Print:
    """The prints of all that a request writes and says.

    Raises:
        RuntimeError: when the command fails.
    """
    formats = [*FORMATS, "wav"] if request.sound else [*FORMATS]
    with TemporaryDirectory() as folder, chdir(INPUTS):
        if request.many:
            places = ["--out-dir", folder, "--formats", ",".join(formats)]
        else:
            places = [word for format in formats for word in ("-o", f"{folder}/tune.{format}")]
        arguments = [*shlex.split(request.line), "--json", *places]
        done = CliRunner().invoke(mst, arguments, env=ENVIRONMENT)
        if done.exit_code != 0:
            raise RuntimeError(f"{request.name}: status {done.exit_code}: {done.stderr.strip()}")
        receipts = [strip(json.loads(line), folder) for line in done.stdout.splitlines()]
        prints: Print = {"receipt": receipts[0] if len(receipts) == 1 else receipts}
        for path in sorted(Path(folder).iterdir()):
            prints |= take_file(path)
    return dict(sorted(prints.items()))


def take_file(path: Path) -> Print:
    """The prints of one file: its own, and that of its notes or of its levels."""
    if path.suffix == ".wav":
        samples, rate = read_wav(path)
        return {
            path.name: digest(samples.tobytes()),
            f"{path.stem}.levels": f"{len(samples)} samples: {list_levels(samples, rate)}",
        }
    content = path.read_bytes()
    if path.suffix == ".svg":
        content = ENGRAVER.sub("", content.decode("utf-8")).encode("utf-8")
    prints = {path.name: digest(content)}
    if path.suffix == ".mid":
        prints[f"{path.stem}.notes"] = digest(json.dumps(read_notes(path)).encode("ascii"))
    return prints


def digest(content: bytes) -> str:
    """The first digits of the SHA-256 of something."""
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def strip(said: Any, folder: str) -> Any:
    """What a receipt says, without the folder of this run and what changes with each release."""
    if isinstance(said, dict):
        return {name: strip(value, folder) for name, value in said.items() if name not in VOLATILE}
    if isinstance(said, list):
        return [strip(value, folder) for value in said]
    return said.replace(f"{folder}/", "") if isinstance(said, str) else said


def read_notes(path: Path) -> list[tuple[int, int, int]]:
    """The melody of a MIDI file: onset and duration in ticks and pitch of each note."""
    for track in mido.MidiFile(path).tracks:
        now = 0
        begun: dict[int, int] = {}
        notes: list[tuple[int, int, int]] = []
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            if message.note in begun:
                onset = begun.pop(message.note)
                notes.append((onset, now - onset, message.note))
            if message.type == "note_on" and message.velocity:
                begun[message.note] = now
        if notes:
            return sorted(notes)
    return []


def read_wav(path: Path) -> tuple[np.ndarray[Any, Any], int]:
    """The 16-bit samples of a sound, a row for each moment, and how many there are a second."""
    with wave.open(str(path), "rb") as sound:
        if sound.getsampwidth() != 2:
            raise RuntimeError(f"{path.name}: {sound.getsampwidth()} bytes a sample, not 2")
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        return samples.reshape(-1, sound.getnchannels()), sound.getframerate()


def list_levels(samples: np.ndarray[Any, Any], rate: int) -> str:
    """The level of each quarter of a second, in dB below full scale."""
    width = round(STEP * rate)
    powers = [
        float(np.mean((samples[start : start + width] / 32_768.0) ** 2))
        for start in range(0, len(samples), width)
    ]
    decibels = [max(FLOOR, 10 * float(np.log10(power + 1e-12))) for power in powers]
    return " ".join(f"{level:.1f}" for level in decibels)


def near(levels: str, others: str) -> bool:
    """Whether two sounds are as long as each other and nowhere louder than can be heard."""
    (length, levels), (other_length, others) = levels.split(": "), others.split(": ")
    gaps = [
        abs(float(level) - float(other))
        for level, other in zip(levels.split(), others.split(), strict=False)
    ]
    return length == other_length and max(gaps, default=0.0) <= TOLERANCE + 1e-6


def differences(found: Print, golden: Print, *, strict: bool) -> list[str]:
    """The outputs of a request that are not what they were; strictly, each sample of a sound."""
    wrong = []
    for name in sorted({*found, *golden}):
        one, other = found.get(name), golden.get(name)
        if one == other or (name.endswith(".wav") and not strict and one and other):
            continue
        if name.endswith(".levels") and one and other and near(one, other):
            continue  # strictly, the samples beside it are compared
        wrong.append(name)
    return wrong


def write_hashes(prints: dict[str, Print]) -> None:
    """Write down what each request gave: sorted, an output a line."""
    requests = []
    for name, outputs in sorted(prints.items()):
        lines = [
            f"  {json.dumps(output)}: {json.dumps(value, ensure_ascii=False, sort_keys=True)}"
            for output, value in sorted(outputs.items())
        ]
        requests.append(f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}")
    HASHES.write_text("{\n" + ",\n".join(requests) + "\n}\n", encoding="utf-8")


def main() -> int:
    """Make the music and compare it, or write down what it is; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="only those of the ordinary tests")
    parser.add_argument("--write", action="store_true", help="write down what comes out")
    parser.add_argument("--only", default="", metavar="WORDS", help="only names with these words")
    asked = parser.parse_args()
    golden = read_hashes() if HASHES.exists() else {}
    requests = [each for each in read_requests(short=asked.short) if asked.only in each.name]
    found: dict[str, Print] = {}
    misses = 0
    begun = time.perf_counter()
    for request in requests:
        found[request.name] = take(request)
        wrong = differences(found[request.name], golden.get(request.name, {}), strict=True)
        misses += bool(wrong)
        if wrong:
            sys.stdout.write(f"DIFFERS {request.name}: {', '.join(wrong)}\n    {request.line}\n")
    if asked.write:
        named = {request.name for request in read_requests()}
        write_hashes({name: golden[name] for name in named & {*golden}} | found)
    seconds = time.perf_counter() - begun
    sys.stdout.write(f"{len(requests)} requests, {misses} differ, {seconds:.0f} s\n")
    return 1 if misses and not asked.write else 0


if __name__ == "__main__":
    sys.exit(main())
