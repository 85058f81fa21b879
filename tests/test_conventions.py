"""The promises of the house: what prose says of the tree, held by a look at the whole tree."""

from __future__ import annotations

import ast
import pickle
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import mido
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mst_core.errors import MstError, all_errors, rebuild_error
from mst_core.styles import load_style_card
from tests.support.paths import PROJECT

MAX_FILE_LINES = 600
MIN_LINES = 60  # of a module that needs no reason to stand alone

ROOMS = {
    "aiosqlite": "bot/requests/database.py",
    "click": "mst_core/__main__.py mst_core/cli",
    "discord": "bot/__main__.py bot/app.py bot/cogs bot/messages bot/preview"
    " bot/requests/intake.py bot/requests/presses.py bot/requests/downloads.py",
    "fontTools": "mst_core/notation/lettering.py mst_core/notation/pdf.py",
    "fluidsynth": "mst_core/sound/fluidsynth.py",
    "midi2audio": "mst_core/sound/fluidsynth_cli.py",
    "matplotlib": "mst_core/training/loss_log.py",
    "mido": "mst_core/notation/midi.py mst_core/sound/performance_midi.py",
    "music21": "mst_core/notation/musicxml.py",
    "prometheus_client": "bot/monitoring/metrics.py",
    "pydub": "mst_core/sound/encoding.py",
    "resvg_py": "mst_core/notation/engraving.py",
    "safetensors": "mst_core/networks mst_core/training mst_core/statistics",
    "simcord": "bot/preview",
    "tomli_w": "mst_core/training/train_style.py",
    "torch": "mst_core/networks mst_core/training mst_core/generation/candidates.py"
    " mst_core/evaluation/baselines.py",
    "verovio": "mst_core/notation/engraving.py",
}
"""Each foreign library, and the only places that may import it: to replace one touches these."""

OPEN_TO_ALL = {"audioop-lts", "msgspec", "numpy"}
"""Libraries without a room: a stand-in for the standard library, structs and arrays."""


def tracked(*patterns: str) -> list[Path]:
    """The files of the project that are there, as git knows them, new ones included."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = {PROJECT / name for name in listing.stdout.split("\0") if name}
    return sorted(path for path in paths if path.is_file())


@cache
def imported_libraries(path: Path) -> frozenset[str]:
    """The top-level names that a module imports, or runs with ``-m``."""
    return frozenset(_imported_names(path))


def _imported_names(path: Path) -> Iterator[str]:
    """The top names that a module imports, inside functions too, or runs with ``-m``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.List):
            words = [word.value if isinstance(word, ast.Constant) else None for word in node.elts]
            yield from (str(name) for flag, name in pairwise(words) if flag == "-m")


def test_the_bot_and_every_cog_start_without_a_heavy_library() -> None:
    cogs = [f"bot.cogs.{path.stem}" for path in (PROJECT / "bot/cogs").glob("[!_]*.py")]
    assert cogs
    asked = (
        f"import sys, bot.__main__, bot.app, {', '.join(cogs)}\n"
        "heavy = {'torch', 'numpy', 'music21', 'verovio', 'resvg_py', 'fluidsynth', 'midi2audio'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", asked],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert answer.stdout.split() == []


@pytest.mark.parametrize("library", sorted(ROOMS))
def test_a_library_is_imported_in_its_rooms_and_nowhere_else(library: str) -> None:
    rooms = ROOMS[library].split()
    homes = {
        str(path.relative_to(PROJECT))
        for path in tracked("bot/*.py", "mst_core/*.py")
        if library in imported_libraries(path)
    }
    assert homes, f"nothing imports {library}: take it out of ROOMS and of pyproject.toml"
    strays = {home for home in homes if not any(home.startswith(room) for room in rooms)}
    assert strays == set()


@pytest.mark.parametrize("code", sorted(all_errors()))
def test_an_error_crosses_to_another_process_and_says_the_same(code: str) -> None:
    kind = all_errors()[code]
    places = [int(place) for place in re.findall(r"{(\d)", kind.sentence)]
    error = kind(*(f"argument {number}" for number in range(max(places, default=0) + 1)))
    for arrived in (pickle.loads(pickle.dumps(error)), rebuild_error(code, error.arguments)):  # noqa: S301
        assert type(arrived) is kind
        assert isinstance(arrived, MstError)
        assert str(arrived) == str(error) != ""


def test_no_file_of_code_is_longer_than_six_hundred_lines() -> None:
    long = {
        str(path.relative_to(PROJECT)): lines
        for path in tracked("*.py", "*.sh", "Makefile")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_FILE_LINES
    }
    assert long == {}


def test_a_module_under_sixty_lines_says_why_it_stands_alone() -> None:
    silent = []
    for path in tracked("bot/*.py", "mst_core/*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name in ("__init__.py", "__main__.py") or len(text.splitlines()) >= MIN_LINES:
            continue
        docstring = ast.get_docstring(ast.parse(text)) or ""
        if not re.search(r"[Ss]tands alone|module of its own", docstring):
            silent.append(str(path.relative_to(PROJECT)))
    assert silent == []


def public_functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The public functions of a module and the public methods of its public classes, by name."""
    levels: list[tuple[str, list[ast.stmt]]] = [("", ast.parse(path.read_text("utf-8")).body)]
    for prefix, body in levels:
        for node in body:
            if isinstance(node, ast.ClassDef) and node.name[0] != "_":
                levels.append((f"{prefix}{node.name}.", node.body))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                yield f"{prefix}{node.name}", node


def test_a_public_function_of_two_parameters_documents_them() -> None:
    silent = []
    for path in tracked("bot/*.py", "mst_core/*.py"):
        for name, function in public_functions(path):
            decorators = " ".join(map(ast.unparse, function.decorator_list))
            if re.search(r"click|overload|\.command\(", decorators):
                continue
            given = function.args
            names = {each.arg for each in given.posonlyargs + given.args + given.kwonlyargs}
            docstring = ast.get_docstring(function) or ""
            is_documented = re.search(r"^Args:$|See `", docstring, re.M)
            if len(names - {"self", "cls"}) >= 2 and not is_documented:
                silent.append(f"{path.relative_to(PROJECT)}: {name}")
    assert silent == []


def test_no_file_names_the_machine_it_was_written_on() -> None:
    homes = ("/" + "work/", "/" + "root/", "../" + "shared", "." + "library/")
    place = re.compile("|".join([*map(re.escape, homes), r"/home/[a-z]+/", r"/Users/\w+/"]))
    found = {
        f"{path.relative_to(PROJECT)}:{number}"
        for path in tracked()
        for number, line in enumerate(readable_lines(path), start=1)
        if place.search(line)
    }
    assert found == set()


def readable_lines(path: Path) -> list[str]:
    """The lines of a text, none of a picture, a sound or a network."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []


@pytest.mark.parametrize(
    "folder", sorted(path for path in (PROJECT / "models").iterdir() if path.is_dir()), ids=str
)
def test_every_style_folder_has_a_card_that_can_be_read(folder: Path) -> None:
    card = load_style_card(folder)
    assert card.title
    assert card.lowest < card.highest
    assert 0 <= card.program <= 127


def test_every_reference_to_a_decision_leads_to_its_entry() -> None:
    reference = re.compile(r"decisions\.md#([a-z0-9-]+)")
    named = {
        anchor
        for path in tracked("*.py", "*.md", "*.toml", "*.sql", "*.sh")
        for anchor in reference.findall(path.read_text(encoding="utf-8"))
    }
    text = (PROJECT / "docs/decisions.md").read_text(encoding="utf-8")
    entries = re.findall(r"^<a id=\"([a-z0-9-]+)\"></a>\n### .+$", text, re.M)
    assert sorted(set(entries)) == sorted(entries)
    assert text.count("\n### ") == len(entries)
    assert len(named) > 10
    assert named - set(entries) == set()
    headings = {re.sub(r"[^a-z -]", "", line.lower()).replace(" ", "-")
                for line in re.findall(r"^## (.+)$", text, re.M)}  # fmt: skip
    assert set(re.findall(r"\]\(#([a-z0-9-]+)\)", text)) <= {*entries, *headings}


def makefile_targets() -> dict[str, str]:
    """Map each target of the Makefile to its line of help, or to nothing."""
    rules = re.findall(
        r"^([a-z][a-z-]*):(?!=)[^#\n]*(?:## (.+))?$", (PROJECT / "Makefile").read_text(), re.M
    )
    return dict(rules)


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    targets = makefile_targets()
    assert {"setup", "run", "test", "check"} <= set(targets)
    assert [name for name, words in targets.items() if not words] == []


def test_make_alone_lists_every_target() -> None:
    listing = subprocess.run(
        ["make", "--no-print-directory"], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    assert set(re.findall(r"make ([a-z-]+)", listing.stdout)) >= set(makefile_targets())


def test_the_readme_names_only_targets_that_there_are() -> None:
    named = {
        name
        for path in tracked("*.md")
        for name in re.findall(r"\bmake ([a-z-]+)\b(?=`| [A-Z]|\n)", path.read_text("utf-8"))
    }
    assert named - set(makefile_targets()) == set()


def test_what_ci_runs_is_what_a_person_runs() -> None:
    commands = [
        line
        for line in (PROJECT / ".ci/run").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert len(commands) == 1
    assert commands[0].endswith("make test")


def asked_libraries(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for: always, and for the extras named."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"]]
    for extra in extras:
        texts += project["optional-dependencies"][extra]
    return [Requirement(text) for text in texts]


def test_a_new_library_arrives_with_its_room() -> None:
    imported_as = {
        "discord.py": "discord",
        "fonttools": "fontTools",
        "prometheus-client": "prometheus_client",
        "pyfluidsynth": "fluidsynth",
        "tomli-w": "tomli_w",
    }
    names = {imported_as.get(asked.name, asked.name) for asked in asked_libraries("tryout")}
    assert names == set(ROOMS) | OPEN_TO_ALL


def test_every_library_is_pinned_to_a_version_that_the_project_admits() -> None:
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    versions = {canonicalize_name(name): version for name, version in pins.items()}
    for asked in asked_libraries("tryout", "dev"):
        assert versions[canonicalize_name(asked.name)] in asked.specifier, asked


def test_every_place_that_the_architecture_names_is_there() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    names = re.findall(r"`((?:[\w<>.]+/)*[\w<>.]+\.(?:py|toml|json|sql)|(?:\w+/)+)`", text)
    files = {path.relative_to(PROJECT) for path in tracked()}
    ends = {"/".join(path.parts[start:]) for path in files for start in range(len(path.parts))}
    folders = {
        f"{'/'.join(path.parts[start:end])}/"
        for path in files
        for end in range(1, len(path.parts))
        for start in range(end)
    }
    assert len(names) > 50
    examples = {name for name in names if re.search(r"<|NNNN", name)}
    assert set(names) - ends - folders - examples == set()


def test_the_architecture_names_every_package_of_the_core() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (PROJECT / "mst_core").glob("*/__init__.py")}
    assert {name for name in packages if f"`mst_core/{name}/`" not in text} == set()


@pytest.mark.parametrize(
    ("tune", "transferred"), [("folk-folk", "folk-jazz"), ("jazz-jazz", "jazz-folk")]
)
def test_the_examples_in_a_row_of_the_readme_share_their_pitches(
    tune: str, transferred: str
) -> None:
    def pitches(name: str) -> list[int]:
        file = mido.MidiFile(PROJECT / "docs/examples" / f"{name}.mid")
        return [each.note for each in file if each.type == "note_on" and each.velocity]

    assert pitches(tune) == pitches(transferred)
    assert len(pitches(tune)) > 50
