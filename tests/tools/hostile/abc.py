"""Hostile ABC files: impossible numbers, brackets that never close, lines of megabytes."""

from __future__ import annotations

from collections.abc import Iterator

_TUNE = """D2FA d2fd|e2ce A4|d2AF G2BG|1 A2F2 E4:|2 A2E2 D4|]
|:f2fe dcBA|(3GAB ^c>d e2 z2|"D"[DFA]2 f-f e4|G2E2 D4:|
"""
GOOD = f"X:1\nT:Tune\nM:4/4\nL:1/8\nQ:1/4=120\nK:D\n{_TUNE}".encode()
_HEAD = "X:1\nT:Tune\nM:4/4\nL:1/8\nK:D\n"

_FIELDS = {
    "M": (
        "1/0", "0/4", "0/0", "4/3", "-4/4", "99999/4", "4/99999999999999999999", "4", "/", "C||",
        "1+" * 5_000 + "1/8", "(" * 5_000, "²/4", "٤/٤", "4/4 " * 9_999,
    ),
    "L": ("1/0", "0/1", "0", "1/1000000000", "1000000000", "-1/8", "1/3", "x"),
    "Q": ("0", "1e999", "1/0=120", "0/4=120", "-5", "999999999999999999", "=", '"' * 999),
    "K": ("H", "", "C" * 100_000, "D exp " + "^f" * 9_999, "Q#", "\x00", "none"),
    "X": ("", "-1", "9" * 9_999, "one"),
    "V": ("", "1 " * 9_999, "x" * 99_999),
    "I": ("linebreak " + "$" * 9_999,),
    "m": ("~G2 = {A}G{F}G" * 500,),
}  # fmt: skip

_BODIES = {
    "length-huge": "A99999999999999999999 B2|c4 d4|",
    "length-of-5000-digits": f"A{'9' * 5_000} B2|c4 d4|",
    "length-zero": "A0 B0 c0 d0|A/0 B/0|",
    "length-negative": "A-4 B-2 c4|",
    "slashes": f"A{'/' * 100_000}B|c4 d4|",
    "division-huge": "A/99999999999 B3/77777777777 c7/13 d11/17|" * 30,
    "primes": " ".join(f"A{n}/{n + 2}" for n in range(3, 999, 2)),
    "octaves-up": f"c{chr(39) * 100_000} d e f|",
    "octaves-down": f"C{',' * 100_000} D E F|",
    "sharps": f"{'^' * 100_000}c d e f|",
    "tuplet-huge": "(99999999:2:3 CDE FGA|",
    "tuplet-of-zero": "(0:0:0 CDE|(1 CDE|(3:0:3 CDE|(3::0 CDE|",
    "tuplet-to-the-end": "(9:9999:9999 " + "C" * 999,
    "tuplets-in-tuplets": "(3" * 50_000 + "C",
    "tuplet-flood": "(3CDE" * 20_000,
    "broken-rhythm": "A" + ">" * 100_000 + "B c d|",
    "broken-rhythm-deep": "A>>>>>>>>B<<<<<<<<c d>" * 99,
    "ties-forever": "A-" * 50_000,
    "tie-to-nothing": "A8-|-|-|-|",
    "bar-rest-huge": "A4 B4|Z1000000000|c4 d4|",
    "bar-rest-long": "A4 B4|Z9999|c4 d4|",
    "rest-huge": "A4 z999999999 B4|",
    "rest-flood": "z" * 100_000,
    "spaces": "y" * 50_000 + "A B",
    "repeats-open": "|:A4 B4" * 5_000,
    "repeats-shut": "A4 B4:|" * 5_000,
    "repeats-of-thousands": "|" + ":" * 50_000 + "A4 B4" + ":" * 50_000 + "|",
    "repeats-in-repeats": "|:" * 3_000 + "A4 B4" + ":|" * 3_000,
    "endings-odd": "|:A4 B4|2 c4 d4|1 e4 f4:|9 g4 a4|1 A8|",
    "endings-of-thousands": "|:A4 B4|[1-9999999 c4 d4:|[1,2,3,5-7 e4 f4:|",
    "ending-list": "|:A4|[" + "1," * 9_999 + " c4:|",
    "endings-alone": "[1[2[3[4" * 999,
    "bars": "|" * 1_000_000,
    "bars-full": "A8|" * 300_000,
    "bars-of-one-note": "A|" * 5_000,
    "chord-open": "[" * 100_000,
    "chord-deep": "[A" * 50_000 + "]" * 50_000,
    "chord-empty": "[]" * 9_999 + "A B",
    "chord-wide": "[" + "CDEFGABc" * 9_999 + "] A B",
    "chord-lengths": "[C9999999D/9999999]A B|" * 9,
    "grace-open": "{" * 100_000,
    "grace-deep": "{A" * 50_000 + "}" * 50_000,
    "quote-open": '"' + "A" * 100_000,
    "quotes": '"' * 100_001,
    "shriek-open": "!" * 100_001,
    "slurs": "(" * 200_000,
    "field-open": "[K:" * 50_000,
    "field-flood": "[K:D][M:3/4][L:1/4]A " * 9_999,
    "meter-flood": "[M:3/4]A6|[M:2/4]B4|" * 2_000,
    "fields-in-fields": "[K:[M:[L:1/8]]]A B c d|",
    "overlays": "A8&B8&c8|" * 3_000,
    "voices": "\n".join(f"V:{n}\nA8|" for n in range(9_999)),
    "voices-inline": "[V:1]A[V:2]B" * 9_999,
    "only-rests": "z8|z8|z8|",
    "only-chord-symbols": '"C" "G" "D"',
    "one-note": "A",
    "nothing": "",
    "a-line-of-4-mb": "A" * 4_000_000,
    "a-million-notes": "ABcd efga|" * 125_000,
    "a-million-lines": "A\n" * 1_000_000,
    "back-slashes": "\\\n" * 100_000 + "A B",
    "percent": "%" * 100_000 + "\nA B",
    "directives": "%%text la\n" * 50_000 + "A B",
    "words": "A B\nw:" + "la-" * 100_000,
    "plus": "A B\n+:" * 20_000,
    "nul": "A\0B\0c\0d",
    "strange-letters": "ÄÖÜ¡🎵旋律\u202e\u0661" * 99 + "A B",
    "digits-of-others": "A٣ B² c½ d௧|",
}


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of each file."""
    for name, data in (*_texts(), *_encodings()):
        yield f"abc-{name}.abc", data


def _texts() -> Iterator[tuple[str, bytes]]:
    for letter, values in _FIELDS.items():
        for place, value in enumerate(values):
            head = "".join(
                f"{line}\n" for line in _HEAD.splitlines() if not line.startswith(f"{letter}:")
            )
            after = f"K:{value}" if letter == "K" else f"{letter}:{value}\nK:D"
            yield f"{letter}-{place}", f"{head.replace('K:D', '')}{after}\n{_TUNE}".encode()
            yield f"{letter}-{place}-on-the-way", f"{_HEAD}A8|\n{letter}:{value}\n{_TUNE}".encode()
    for name, body in _BODIES.items():
        yield name, f"{_HEAD}{body}\n".encode()
    yield "no-key", b"X:1\nT:Tune\nM:4/4\nABcd efga|\n"
    yield "no-number", b"T:Tune\nK:D\nABcd efga|\n"
    yield "heading-only", _HEAD.encode()
    yield "100000-tunes", b"X:1\nK:C\n" * 100_000
    yield "300000-fields", b"X:1\n" + b"N:la\n" * 300_000 + b"K:C\nABcd|\n"
    yield "title-long", b"X:1\nT:" + b"la" * 400_000 + b"\nK:C\nABcd|\n"
    yield "title-escapes", b"X:1\nT:\x1b[2J\x07{0}\rerror: \xe2\x80\xae\nK:C\nABcd|\n"


def _encodings() -> Iterator[tuple[str, bytes]]:
    text = GOOD.decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "utf-8-sig"):
        yield f"in-{encoding}", text.encode(encoding)
    yield "in-utf-16-cut", text.encode("utf-16")[:-1]
    yield "not-utf-8", GOOD.replace(b"Tune", b"\xc3\x28\xff\xfe\x80")
    yield "latin-1", GOOD.replace(b"Tune", b"Lied f\xfcr B\xe4r")
    yield "old-macintosh", GOOD.replace(b"\n", b"\r")
    yield "every-line-end", GOOD.replace(b"|", b"|\x0b\x0c\x1c\xc2\x85\xe2\x80\xa8")
    yield "surrogates", GOOD.replace(b"Tune", b"\xed\xa0\x80\xed\xb0\x80")
