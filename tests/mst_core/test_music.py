"""Keys are read as people write them."""

from __future__ import annotations

import pytest

from mst_core.errors import BadOption
from mst_core.music import Key


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Bb", "B♭ major"),
        ("B flat", "B♭ major"),
        ("b Flat minor", "B♭ minor"),
        ("E-flat dorian", "E♭ dorian"),
        ("F sharp minor", "F♯ minor"),
        ("F#m", "F♯ minor"),
        ("B", "B major"),
        ("Bm", "B minor"),
    ],
)
def test_an_accidental_may_be_a_sign_or_a_word(written: str, name: str) -> None:
    assert Key.parse(written).name == name


@pytest.mark.parametrize("written", ["H", "B flatter", "sharp", "D natural", ""])
def test_what_names_no_key_is_refused(written: str) -> None:
    with pytest.raises(BadOption, match="write it as D, Em"):
        Key.parse(written)
