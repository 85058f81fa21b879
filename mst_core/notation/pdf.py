"""Writes engraved pages as a PDF file on paper of A4, in vectors and with shared glyphs.

It knows the few elements that `mst_core.notation.engraving` leaves in a page: groups, paths,
polygons, ellipses, rectangles and references to glyphs. No text is among them, except letters that
no font has; those are left out.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path

from mst_core.notation.lettering import SVG, XLINK

_PAPER = (595.28, 841.89)
"""Width and height of a sheet of A4 in points."""
_ROUND = 0.5523
"""Distance of the control points of a quarter of a circle, in radii."""
_TRANSFORM = re.compile(r"(translate|scale|matrix|rotate)\(([^)]*)\)")
_DEFAULT_WIDTH = "1"
_OPERATORS = {"moveTo": "m", "lineTo": "l", "curveTo": "c", "qCurveTo": "c"}
_SIDES = ("width", "height")
_PAINTING = {(True, True): "B", (True, False): "f", (False, True): "S", (False, False): "n"}
"""Operator by whether an outline is filled and whether it is drawn."""


@dataclass(frozen=True, slots=True)
class _Ink:
    """How an element is painted; its children inherit it. None: not at all."""

    fill: str | None = "#000000"
    stroke: str | None = "#000000"


def write_pdf(pages: Sequence[str], *, title: str = "") -> bytes:
    """Write pages as one PDF file.

    Args:
        pages: what `mst_core.notation.engraving.engrave` returned.
        title: the title that a viewer shows; empty for none.

    Returns:
        The file; the same pages give the same bytes.
    """
    glyphs: dict[str, Element] = {}
    contents: list[bytes] = []
    for page in pages:
        root = fromstring(page)  # noqa: S314  # our own picture
        for defs in root.iter(f"{{{SVG}}}defs"):
            glyphs |= {glyph.get("id", ""): glyph for glyph in defs}
        width, height = (float(root.get(side, "1px").removesuffix("px")) for side in _SIDES)
        scale = min(_PAPER[0] / width, _PAPER[1] / height)
        place = f"{scale:.5f} 0 0 {-scale:.5f} 0 {_PAPER[1]:.2f} cm"  # y points down in SVG
        contents.append("\n".join([place, *_paint_children(root, _Ink(), width)]).encode("ascii"))
    names = {name: f"G{number}" for number, name in enumerate(sorted(glyphs))}
    forms = [
        "\n".join([*_paint_children(glyphs[name], _Ink(stroke=None), 1.0)]).encode("ascii")
        for name in sorted(glyphs)
    ]
    contents = [_rename_glyphs(content, names) for content in contents]
    return _write_objects(contents, forms, title)


def _paint_children(parent: Element, ink: _Ink, width: float) -> Iterator[str]:
    """Yield the operators that paint the children of an element."""
    for element in parent:
        tag = element.tag.removeprefix(f"{{{SVG}}}")
        if tag not in ("g", "svg", "path", "polygon", "polyline", "ellipse", "rect", "use"):
            continue
        own = _own_ink(element, ink)
        if tag == "rect" and "%" in element.get("width", ""):
            continue  # the background: paper has one
        yield "q"
        yield from _transforms(element.get("transform", ""))
        if own.fill and own.fill != ink.fill:
            yield f"{_color(own.fill)} rg"
        if own.stroke and own.stroke != ink.stroke:
            yield f"{_color(own.stroke)} RG"
        if tag == "svg":
            scale = width / float(element.get("viewBox", "0 0 1 1").split()[2])
            yield f"{scale:.6f} 0 0 {scale:.6f} 0 0 cm"
        if tag in ("g", "svg"):
            yield from _paint_children(element, own, width)
        elif tag == "use":
            yield f"/{element.get(f'{{{XLINK}}}href', '')} Do"
        else:
            yield f"{float(element.get('stroke-width', _DEFAULT_WIDTH)):g} w"
            yield from _outline(tag, element)
            yield _PAINTING[own.fill is not None, own.stroke is not None]
        yield "Q"


def _own_ink(element: Element, ink: _Ink) -> _Ink:
    """Return how an element is painted: as it says, or as its parent."""
    style = dict(
        piece.split(":", 1) for piece in element.get("style", "").split(";") if ":" in piece
    )
    asked = {**style, **{name: element.get(name) for name in ("color", "fill", "stroke")}}
    if color := asked.get("color"):
        ink = replace(ink, stroke=color if ink.stroke else None)
    for name in ("fill", "stroke"):
        value = asked.get(name) or style.get(name)
        if value == "none":
            ink = replace(ink, **{name: None})
        elif value and value.startswith("#"):
            ink = replace(ink, **{name: value})
    return ink


def _outline(tag: str, element: Element) -> Iterator[str]:
    """Yield the operators of the outline of a path, polygon, ellipse or rectangle."""
    if tag == "path":
        yield from _path_operators(element.get("d", ""))
    elif tag in ("polygon", "polyline"):
        numbers = [float(each) for each in element.get("points", "").replace(",", " ").split()]
        for index, point in enumerate(zip(numbers[::2], numbers[1::2], strict=False)):
            yield f"{_pair(point)} {'l' if index else 'm'}"
        if tag == "polygon":
            yield "h"
    elif tag == "rect":
        sides = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
        yield f"{' '.join(f'{side:g}' for side in sides)} re"
    else:
        x, y, wide, high = (float(element.get(name, 0)) for name in ("cx", "cy", "rx", "ry"))
        yield f"{_pair((x + wide, y))} m"
        corners = ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 0))
        for (a, b), (c, d) in pairwise(corners):
            first = (x + wide * (a + _ROUND * c), y + high * (b + _ROUND * d))
            second = (x + wide * (c + _ROUND * a), y + high * (d + _ROUND * b))
            yield f"{_pair(first)} {_pair(second)} {_pair((x + wide * c, y + high * d))} c"


def _path_operators(path: str) -> Iterator[str]:
    """Yield the operators of an SVG path."""
    pen = RecordingPen()
    parse_path(path, pen)
    now = (0.0, 0.0)
    for command, points in pen.value:
        if command == "qCurveTo":  # one control point: PDF has curves with two
            corner, end = points
            points = (*(_between(each, corner) for each in (now, end)), end)
        match command:
            case "closePath":
                yield "h"
            case "endPath":
                continue
            case _:
                yield " ".join([*map(_pair, points), _OPERATORS[command]])
        now = points[-1] if points else now


def _between(start: tuple[float, float], corner: tuple[float, float]) -> tuple[float, float]:
    """Return the point at two thirds of the way from a point to a control point."""
    return (start[0] + 2 * (corner[0] - start[0]) / 3, start[1] + 2 * (corner[1] - start[1]) / 3)


def _transforms(text: str) -> Iterator[str]:
    """Yield the operators of a transform attribute."""
    for kind, values in _TRANSFORM.findall(text):
        numbers = [float(each) for each in values.replace(",", " ").split()]
        if kind == "translate":
            yield f"1 0 0 1 {_pair((numbers[0], numbers[1] if len(numbers) > 1 else 0))} cm"
        elif kind == "scale":
            yield f"{numbers[0]:.6g} 0 0 {numbers[-1]:.6g} 0 0 cm"
        elif kind == "matrix":
            yield f"{' '.join(f'{number:.6g}' for number in numbers)} cm"


def _color(value: str) -> str:
    """Return a colour such as ``#e69f00`` as three numbers from 0 to 1."""
    return " ".join(f"{int(value[at : at + 2], 16) / 255:.3g}" for at in (1, 3, 5))


def _pair(point: tuple[float, float]) -> str:
    """Return the coordinates of a point."""
    return f"{point[0]:.2f} {point[1]:.2f}"


def _rename_glyphs(content: bytes, names: Mapping[str, str]) -> bytes:
    """Return a page whose references have the short names of the glyphs."""

    def rename(reference: re.Match[bytes]) -> bytes:
        return f"/{names[reference[1].decode('ascii')]} Do".encode("ascii")

    return re.sub(rb"/#(\S+) Do", rename, content)


def _write_objects(contents: Sequence[bytes], forms: Sequence[bytes], title: str) -> bytes:
    """Return the file: catalog, information, pages, their contents, and the glyphs."""
    n_pages = len(contents)
    first_page, first_glyph = 4, 4 + 2 * n_pages
    box = f"/MediaBox [0 0 {_PAPER[0]} {_PAPER[1]}]"
    kids = " ".join(f"{first_page + 2 * index} 0 R" for index in range(n_pages))
    glyphs = " ".join(f"/G{index} {first_glyph + index} 0 R" for index in range(len(forms)))
    resources = f"/Resources << /XObject << {glyphs} >> >>"
    encoded = f"\ufeff{title}".encode("utf-16-be").hex()  # the byte order that PDF demands
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {n_pages} {box} {resources} >>".encode("ascii"),
        (f"<< /Title <{encoded}> >>" if title else "<< >>").encode("ascii"),
    ]
    for index, content in enumerate(contents):
        page = f"<< /Type /Page /Parent 2 0 R /Contents {first_page + 2 * index + 1} 0 R >>"
        objects += [page.encode("ascii"), _stream(content, "")]
    glyph = "/Type /XObject /Subtype /Form /BBox [-10000 -10000 10000 10000]"
    objects += [_stream(form, glyph) for form in forms]
    file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return file + b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
        f"<< /Size {len(objects) + 1} /Root 1 0 R /Info 3 0 R >>".encode("ascii"),
        len(file),
    )


def _stream(content: bytes, entries: str) -> bytes:
    """Return a compressed stream with further entries of its dictionary."""
    packed = zlib.compress(content, 9)
    head = f"<< {entries} /Length {len(packed)} /Filter /FlateDecode >>".encode("ascii")
    return b"%b\nstream\n%b\nendstream" % (head, packed)
