"""The names of the pages of a picture among the files of a rendition.

Stands alone because studio, command line and bot share it, and the bot loads no engraver.
"""

from __future__ import annotations

from collections.abc import Mapping


def name_page(format: str, number: int) -> str:
    """Return the name of a page among the files of a rendition: ``png``, ``2.png``, ``3.png``.

    Args:
        format: a format of pictures.
        number: number of the page, counted from 1.
    """
    return format if number == 1 else f"{number}.{format}"


def list_pages(files: Mapping[str, bytes], format: str) -> list[bytes]:
    """Return the pages of one format among the files of a rendition, in order.

    Args:
        files: contents by format, further pages as `name_page` names them.
        format: the format; other formats than pictures have one page.
    """
    pages: list[bytes] = []
    while (name := name_page(format, len(pages) + 1)) in files:
        pages.append(files[name])
    return pages
