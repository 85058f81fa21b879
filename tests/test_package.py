"""A wheel carries everything that runs: the code, the texts of the bot, and the styles."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from mst_core import __version__
from tests.support.paths import PROJECT

ENVIRONMENT = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--wheel-dir", folder, PROJECT),
        cwd=folder,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment outside the project with the wheel in it.

    The libraries that it needs are those of the project's own environment: the path of its
    site-packages is added, which leaves out the editable installation of the project.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    home = Path(
        run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    )
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
        "--no-index", wheel, cwd=folder)  # fmt: skip
    libraries = {sysconfig.get_paths()["purelib"], *filter(_is_site_packages, sys.path)}
    (home / "libraries.pth").write_text("\n".join(sorted(libraries)) + "\n")
    return folder


def _is_site_packages(path: str) -> bool:
    return Path(path).name == "site-packages"


def test_a_wheel_installed_elsewhere_composes_with_the_styles_that_it_carries(
    installed: Path,
) -> None:
    bin_folder = installed / "venv" / "bin"
    place = run(
        bin_folder / "python", "-c", "import mst_core; print(mst_core.__file__)", cwd=installed
    )
    assert Path(place.strip()).is_relative_to(installed)
    run(
        bin_folder / "mst",
        "compose",
        "folk",
        "--bars",
        "4",
        "--seed",
        "1",
        "-o",
        "a.mid",
        cwd=installed,
    )
    assert (installed / "a.mid").read_bytes().startswith(b"MThd")
    assert f"mst {__version__}\n" == run(bin_folder / "mst", "--version", cwd=installed)


def test_a_wheel_carries_the_texts_and_the_migrations_of_the_bot(installed: Path) -> None:
    program = (
        "import bot; from bot.texts import Texts\n"
        "from bot.requests.database import MIGRATIONS\n"
        "print(bool(Texts.open()), bool([*MIGRATIONS.glob('*.sql')]), callable(bot.create_bot))"
    )
    told = run(installed / "venv" / "bin" / "python", "-W", "ignore", "-c", program, cwd=installed)
    assert told.split() == ["True", "True", "True"]


def test_a_wheel_declares_that_it_is_typed_and_has_one_version(wheel: Path) -> None:
    from zipfile import ZipFile

    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {"bot/py.typed", "mst_core/py.typed", "mst_core/models/folk/style.toml"} <= set(names)
    assert wheel.name == f"music_style_bot-{__version__}-py3-none-any.whl"
    assert not any(name.startswith("tests/") for name in names)
