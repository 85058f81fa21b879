"""docs/glossary.md is the only source of nouns: no banned synonym, no type name bound twice."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import PROJECT
from tests.test_conventions import tracked

GLOSSARY = PROJECT / "docs" / "glossary.md"
PROSE = (
    "README.md",
    "CONTRIBUTING.md",
    "deploy/*.md",
    "docs/*.md",
    "models/*.md",
    "bot/locale/*.toml",
    ".env.example",
    "Makefile",
)
MAX_TYPES = 355  # classes and type aliases of the product

# Verbs and words that programs and times don't do; see CONTRIBUTING.md, "Language".
BANNED_IN_CODE = (
    "behind", "hear", "hears", "heard", "tell", "tells", "told", "speak", "speaks", "spoken",
    "so many", "so much",
)  # fmt: skip


@cache
def glossary() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Map each word to its meaning and its banned synonyms."""
    rows = {}
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[0] not in ("word", "---"):
            banned = tuple(word.strip() for word in cells[2].split(",") if word.strip())
            rows[cells[0]] = (cells[1], banned)
    return rows


@cache
def words_of_code(path: Path) -> list[tuple[int, str]]:
    """The words of a module by line: identifiers in their parts, strings and comments."""
    found: list[tuple[int, str]] = []
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NAME, tokenize.STRING, tokenize.COMMENT):
            text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", token.string).replace("_", " ")
            found += [
                (token.start[0] + number, line) for number, line in enumerate(text.split("\n"))
            ]
    return found


def find_words(paths: list[Path], banned: tuple[str, ...]) -> set[str]:
    """Where a banned word stands, as ``file:line: word``."""
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, banned))})\b", re.IGNORECASE)
    found = set()
    for path in paths:
        if path.suffix == ".py":
            lines = words_of_code(path)
        else:
            lines = list(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
        for number, line in lines:
            found |= {
                f"{path.relative_to(PROJECT)}:{number}: {match[0].lower()}"
                for match in pattern.finditer(line)
            }
    return found


def test_the_glossary_has_sixty_to_ninety_words_each_with_a_meaning() -> None:
    assert 60 <= len(glossary()) <= 90
    assert [word for word, (meaning, _) in glossary().items() if len(meaning) < 15] == []


def test_no_banned_synonym_is_a_word_of_the_glossary() -> None:
    banned = {word for _, synonyms in glossary().values() for word in synonyms}
    assert banned & set(glossary()) == set()


def test_code_and_documents_use_no_banned_synonym() -> None:
    banned = tuple(sorted({word for _, synonyms in glossary().values() for word in synonyms}))
    paths = [path for path in tracked("bot/*.py", "mst_core/*.py", *PROSE) if path != GLOSSARY]
    assert find_words(paths, banned) == set()


def test_programs_and_times_are_described_in_plain_verbs() -> None:
    assert find_words(tracked("bot/*.py", "mst_core/*.py"), BANNED_IN_CODE) == set()


def type_names() -> Counter[str]:
    """How often each class or type alias of the product is bound."""
    names: Counter[str] = Counter()
    for path in tracked("bot/*.py", "mst_core/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names.update(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
        for node in tree.body:
            targets = (
                node.targets if isinstance(node, ast.Assign)
                else [node.target] if isinstance(node, ast.AnnAssign)
                else []
            )  # fmt: skip
            names.update(
                target.id
                for target in targets
                if isinstance(target, ast.Name) and re.match(r"_?[A-Z][a-z]", target.id)
            )
    return names


def test_no_type_name_is_bound_twice() -> None:
    assert [name for name, count in type_names().items() if count > 1] == []


def test_there_are_no_more_named_types_than_a_reader_can_learn() -> None:
    assert type_names().total() <= MAX_TYPES


@pytest.mark.parametrize("word", ["behind", "told"])
def test_a_banned_word_is_found_in_names_and_in_prose(word: str, tmp_path: Path) -> None:
    module = PROJECT / "tests" / "support" / "paths.py"
    assert find_words([module], (word,)) == set()
    assert find_words([Path(__file__)], (word,)) != set()
