"""Hostile MusicXML files: entity bombs, floods of elements, impossible numbers."""

from __future__ import annotations

from collections.abc import Iterator

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_PARTS = '<part-list><score-part id="P1"><part-name>Tune</part-name></score-part></part-list>'
_PLAIN = {
    "divisions": "4", "fifths": "2", "beats": "4", "beat-type": "4", "tempo": "120",
}  # fmt: skip


def note(
    step: str = "D", octave: object = 5, duration: object = 4, more: str = "", before: str = ""
) -> str:
    return (
        f"<note>{before}<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration>{more}</note>"
    )


def measure(body: str, number: object = 1) -> str:
    return f'<measure number="{number}">{body}</measure>'


def attributes(**changes: str) -> str:
    """Write divisions, key, meter and tempo; ``changes`` replaces values of `_PLAIN`."""
    value = _PLAIN | {name.replace("_", "-"): text for name, text in changes.items()}
    return (
        f"<attributes><divisions>{value['divisions']}</divisions>"
        f"<key><fifths>{value['fifths']}</fifths></key>"
        f"<time><beats>{value['beats']}</beats><beat-type>{value['beat-type']}</beat-type></time>"
        f'</attributes><direction><sound tempo="{value["tempo"]}"/></direction>'
    )


def score(*measures: str, head: str = _HEAD + _DOCTYPE, parts: str = _PARTS) -> str:
    body = "".join(measures)
    return (
        f'{head}<score-partwise version="4.0"><work><work-title>Tune</work-title></work>'
        f'{parts}<part id="P1">{body}</part></score-partwise>\n'
    )


_BAR = "".join(note(step) for step in "DEFG")
_FIRST = measure(attributes() + _BAR)
_TUNE = score(
    _FIRST, *(measure(_BAR, place) for place in (2, 3)), measure(note("D", 5, 16), 4)
)  # fmt: skip
GOOD = _TUNE.encode()

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_PROLOGUES = {
    "billion-laughs": f'<!DOCTYPE score-partwise [<!ENTITY l0 "ha">{_LAUGHS}]>',
    "quadratic": f'<!DOCTYPE score-partwise [<!ENTITY l9 "{"ha" * 50_000}">]>',
    "file": '<!DOCTYPE score-partwise [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
    "device": '<!DOCTYPE score-partwise [<!ENTITY l9 SYSTEM "file:///dev/zero">]>',
    "web": '<!DOCTYPE score-partwise [<!ENTITY l9 SYSTEM "http://127.0.0.1:9/x">]>',
    "endless": '<!DOCTYPE score-partwise [<!ENTITY l9 "&l8;"><!ENTITY l8 "&l9;">]>',
    "parameter": '<!DOCTYPE score-partwise [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    "types": "<!DOCTYPE score-partwise [" + "<!ELEMENT a ANY>" * 50_000 + "]>",
    "undeclared": "",
}
_VALUES = {
    "divisions": ("0", "-4", "1000000000", "1e400", "NaN", "0.0000001", "", "4.5", "٤"),
    "fifths": ("99", "-99", "x", "", "1e9", "9" * 5_000),
    "beats": ("0", "-1", "1e9", "3+2+", "", "x", "9" * 5_000, "1000"),
    "beat-type": ("0", "-4", "3", "", "1e9", "4.5", "1024"),
    "tempo": ("0", "-1", "inf", "nan", "1e308", "", "x", "1e-308", "9" * 5_000),
}  # fmt: skip
_NOTES = {
    **{f"duration-{value[:9]}": note(duration=value) for value in
       ("-4", "0", "1e308", "abc", "", "NaN", "9" * 5_000, "0.333333333333333333", "1000000")},
    **{f"octave-{value}": note(octave=value) for value in (99, -5, "x", "", 10**30)},
    **{f"step-{step[:4]}": note(step) for step in ("H", "", "CC", "c", "♯", "D" * 9_999)},
    **{f"alter-{value}": note("D</step><alter>" + value + "</alter><step>D") for value in
       ("1e9", "0.5", "-99", "x")},
    "two-pitches": note(more="<pitch><step>C</step><octave>4</octave></pitch>"),
    "no-pitch": "<note><duration>4</duration></note>",
    "no-duration": "<note><pitch><step>C</step><octave>4</octave></pitch></note>",
    "backup-too-far": "<backup><duration>99999</duration></backup>" + note(),
    "forward-far": "<forward><duration>999999999</duration></forward>" + note(),
    "backup-negative": "<backup><duration>-99999</duration></backup>" + note(),
    "there-and-back": ("<forward><duration>4</duration></forward>"
                       "<backup><duration>4</duration></backup>") * 20_000 + note(),
    "grace-with-duration": note(before="<grace/>") * 99,
    "chord-at-first": note(before="<chord/>") * 99,
    "chord-of-thousands": note() + note("E", before="<chord/>") * 4_000,
    "ties-that-never-end": note(more='<tie type="start"/>') * 999,
    "ties-that-never-began": note(more='<tie type="stop"/>') * 99,
    "voices": "".join(note(more=f"<voice>{n}</voice>") for n in range(2_000)),
    "staves": "".join(note(more=f"<staff>{n * 10**9}</staff>") for n in range(99)),
    **{f"tuplet-{number}": note(more=f"<time-modification><actual-notes>{actual}</actual-notes>"
                                     f"<normal-notes>{normal}</normal-notes></time-modification>")
       for number, (actual, normal) in enumerate(
           ((0, 2), (3, 0), (1_000_000, 1), (1, 10**30), (-3, 2), ("x", "y")))},
}  # fmt: skip


def _repeat(way: str, more: str = "") -> str:
    return f'<barline location="right"><repeat direction="{way}"{more}/></barline>'


_SIGNS = {
    "open": [_repeat("forward")] * 50,
    "shut": [_repeat("backward")] * 50,
    "crossed": [_repeat("backward"), _repeat("forward")] * 20,
    "sideways": [_repeat("sideways")],
    "a-billion-times": [_repeat("backward", ' times="1000000000"')],
    "no-time": [_repeat("backward", ' times="0"')],
    "endings": [
        f'<barline><ending number="{number}" type="{kind}"/></barline>'
        for number in ("1", "1,2,999999999", "x", "", "-1", "1-99999")
        for kind in ("start", "stop", "start", "discontinue", "never")
    ],
    "coda": ['<direction><sound dacapo="yes" segno="a" tocoda="b" fine="yes"/></direction>'] * 50,
}


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of each file."""
    for name, text in (*_bombs(), *_numbers(), *_floods(), *_frames()):
        yield f"xml-{name}.musicxml", text if isinstance(text, bytes) else text.encode()


def _bombs() -> Iterator[tuple[str, str | bytes]]:
    for name, prologue in _PROLOGUES.items():
        for place, entities in (("title", "&l9;" * 999), ("unused", "")):
            text = _TUNE.replace(_DOCTYPE, prologue).replace("Tune", entities or "Tune")
            yield f"entity-{name}-{place}", text
    yield "doctype-of-a-file", _TUNE.replace("http://www.musicxml.org/dtds/", "file:///etc/")
    yield (
        "xinclude",
        _TUNE.replace(
            "<work>",
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/><work>',
        ),
    )
    for depth in (100, 100_000, 600_000):
        yield f"deep-{depth}", f"{_HEAD}<score-partwise>{'<a>' * depth}"
    yield "deep-and-back", f"{_HEAD}<score-partwise>{'<a>' * 9_999}{'</a>' * 9_999}"
    many = " ".join(f"a{n}=''" for n in range(100_000))
    yield "attributes", f"{_HEAD}<score-partwise {many}/>"
    yield "attribute-of-2-mb", f'{_HEAD}<score-partwise version="{"4" * 2_000_000}"/>'
    yield "name-of-2-mb", f"{_HEAD}<score-partwise><{'a' * 2_000_000}/></score-partwise>"
    yield "tag-open", f"{_HEAD}<score-partwise><work {'a ' * 500_000}"
    yield "comment-open", f"{_HEAD}<!--{'la ' * 500_000}"
    yield "cdata", _TUNE.replace("Tune", f"<![CDATA[{'<' * 500_000}]]>")
    yield "instructions", _TUNE.replace("<work>", "<?la la?>" * 100_000 + "<work>")
    yield "text-of-3-mb", _TUNE.replace("Tune", "la" * 1_500_000)
    for reference in ("&#0;", "&#x110000;", "&#xD800;", "&#27;", "&#8238;", "&nosuch;", "&"):
        yield f"reference-{reference.strip('&#;')}", _TUNE.replace("Tune", reference)


def _numbers() -> Iterator[tuple[str, str | bytes]]:
    for name, values in _VALUES.items():
        for place, value in enumerate(values):
            first = measure(attributes(**{name.replace("-", "_"): value}) + _BAR)
            yield f"{name}-{place}", score(first, measure(_BAR, 2))
    for name, notes in _NOTES.items():
        yield name, score(_FIRST, measure(notes + _BAR, 2), measure(_BAR, 3))
    for name, signs in _SIGNS.items():
        bars = [measure(_BAR + sign, place + 2) for place, sign in enumerate(signs)]
        yield f"repeat-{name}", score(_FIRST, *bars)
    yield (
        "divisions-change",
        score(*(measure(attributes(divisions=str(n)) + _BAR, n) for n in range(1, 300))),
    )
    yield (
        "divisions-prime",
        score(*(measure(attributes(divisions=str(7 + 2 * n)) + _BAR * 3, n) for n in range(200))),
    )
    yield (
        "meter-changes",
        score(*(measure(attributes(beats=str(1 + n % 9)) + _BAR, n) for n in range(900))),
    )


def _floods() -> Iterator[tuple[str, str | bytes]]:
    yield "6000-notes", score(_FIRST, *[measure(_BAR)] * 1_500)
    yield "40000-notes", score(_FIRST, *[measure(_BAR)] * 10_000)
    yield "a-bar-of-4000-notes", score(measure(attributes() + note() * 4_000))
    yield "empty-bars", score(_FIRST, *[measure("")] * 120_000)
    yield "some-empty-bars", score(_FIRST, *[measure("")] * 900, measure(_BAR))
    yield "a-million-elements", score(_FIRST, "<a/>" * 1_000_000)
    many = "".join(f'<score-part id="P{n}"><part-name/></score-part>' for n in range(9_999))
    yield "10000-parts-promised", score(_FIRST, parts=f"<part-list>{many}</part-list>")
    parts = "".join(f'<part id="P{n}">{_FIRST}</part>' for n in range(1_500))
    yield "1500-parts", f"{_HEAD}<score-partwise>{parts}</score-partwise>"


def _frames() -> Iterator[tuple[str, str | bytes]]:
    yield "empty-score", score()
    yield "empty-bar", score(measure(""))
    yield "one-note", score(measure(attributes() + note()))
    yield "rests-only", score(measure(attributes() + "<note><rest/><duration>4</duration></note>"))
    yield (
        "drums-only",
        score(measure(attributes() + "<note><unpitched/><duration>4</duration></note>" * 9)),
    )
    yield "no-attributes", score(measure(_BAR), measure(_BAR))
    yield "no-part-list", score(_FIRST, parts="")
    yield "wrong-part", _TUNE.replace('<part id="P1">', '<part id="nobody">')
    yield "part-twice", _TUNE.replace("</part>", f'</part><part id="P1">{_FIRST}</part>')
    yield "timewise", _TUNE.replace("score-partwise", "score-timewise")
    yield "opus", f"{_HEAD}<opus><score href='file:///etc/passwd'/></opus>"
    yield "svg", f"{_HEAD}<svg xmlns='http://www.w3.org/2000/svg'><text>la</text></svg>"
    yield "namespaces", _TUNE.replace("<score-partwise", "<score-partwise xmlns='urn:x'")
    yield "prefixes", _TUNE.replace("<score-partwise", "<m:score-partwise xmlns:m='urn:x'")
    yield "unclosed", _TUNE.replace("</part>", "")
    yield "two-roots", _TUNE + _TUNE.partition("\n")[2]
    yield "not-utf-8", GOOD.replace(b"Tune", b"\xc3\x28\xff")
    yield "nul", GOOD.replace(b"Tune", b"\0")
    for encoding in ("utf-16", "utf-16-le", "utf-32", "cp037"):
        yield f"in-{encoding}", _TUNE.replace("UTF-8", encoding).encode(encoding)
        yield f"really-in-{encoding}", _TUNE.encode(encoding)
    for encoding in ("klingon", "utf-7", "rot13", "", "utf-8" * 999, "unicode_escape", "idna"):
        yield f"says-{encoding[:9] or 'nothing'}", _TUNE.replace("UTF-8", encoding)
