"""The tempo that a word such as Andante stands for.

Stands alone because several formats name a tempo by a word alone.
"""

from __future__ import annotations

import re

_TEMPOS = {
    # In quarter notes per minute, as abc2midi plays them.
    "larghissimo": 40, "grave": 44, "adagissimo": 44, "lentissimo": 48, "largo": 56, "adagio": 59,
    "lento": 62, "larghetto": 66, "adagietto": 76, "andante": 88, "andantino": 96,
    "moderato": 104, "allegretto": 112, "allegro": 120, "vivace": 168, "vivo": 180, "presto": 192,
    "allegrissimo": 208, "vivacissimo": 220, "prestissimo": 240,
}  # fmt: skip


def find_tempo_word(text: str) -> tuple[str, float] | None:
    """Find the first word of a text that names a tempo.

    Args:
        text: Words of a score, such as ``Andante cantabile``.

    Returns:
        The word with a capital letter, and its usual tempo in quarter notes per minute; None where
        no word names one.
    """
    words = (word for word in re.findall(r"[a-z]+", text[:200].lower()) if word in _TEMPOS)
    word = next(words, None)
    return None if word is None else (word.capitalize(), float(_TEMPOS[word]))
