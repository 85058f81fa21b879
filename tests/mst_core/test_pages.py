"""The pages of a picture keep their order and their names."""

from __future__ import annotations

from mst_core.pages import list_pages, name_page


def test_the_first_page_has_the_name_of_its_format_and_later_ones_a_number() -> None:
    assert [name_page("png", number) for number in (1, 2, 11)] == ["png", "2.png", "11.png"]


def test_pages_are_listed_in_order_up_to_the_first_that_is_missing() -> None:
    files = {name_page("png", number): bytes([number]) for number in range(12, 0, -1)}
    files |= {"mid": b"notes", "14.png": b"after a gap"}
    assert list_pages(files, "png") == [bytes([number]) for number in range(1, 13)]
    assert list_pages(files, "mid") == [b"notes"]
    assert list_pages(files, "svg") == []
