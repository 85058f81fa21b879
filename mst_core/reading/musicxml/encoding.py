"""Turns the bytes of an XML file into clean UTF-8, whatever its declaration says.

Notation programs and editors leave slips that an XML parser does not forgive: a blank line before
the declaration, a declared encoding that is not the one of the bytes, a bare ampersand in a title.
None of them changes a note.
"""

from __future__ import annotations

import re

_DECLARATION = re.compile(r"<\?xml\b[^<>]{0,200}\?>")
_ENCODING_NAME = re.compile(r"""\bencoding\s{0,9}=\s{0,9}["']([^"'<>]{1,40})["']""")
_ENCODINGS = re.compile(
    r"utf-?8|(us-)?ascii|iso-?8859-\d{1,2}|latin-?[19]|windows-125\d|cp125\d|macintosh|mac-?roman"
    r"|shift[-_]?jis|sjis|euc-(jp|kr)|big5|gb2312|gbk|gb18030|koi8-[ru]",
    re.IGNORECASE,
)
"""Encodings that a declaration may name; those of UTF-16 show in the bytes."""
_UNICODE = re.compile(r"utf-?8", re.IGNORECASE)
_START = re.compile(r"<(\?xml\b|!DOCTYPE\b|!--|[A-Za-z])")
_JUNK_LENGTH = 2_000  # characters before the first tag that are skipped
_END = re.compile(r"</score-(partwise|timewise)\s{0,99}>")
_TAIL_LENGTH = 2_000  # characters after the last tag in which its end is sought
_EMPTY_SUBSET = re.compile(r"(<!DOCTYPE[^<>\[\]]{0,500})\[\s{0,99}\]\s{0,99}>")
_BARE_AMPERSAND = re.compile(r"&(?!#?[A-Za-z0-9]{1,31};)")
_BAD_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BAD_REFERENCE = re.compile(r"&#(x0?[0-8bcefBCEF]|x1[0-9a-fA-F]|[0-8]|1[124-9]|2\d|3[01]);")


def decode_xml(data: bytes) -> tuple[bytes, list[str]]:
    """Decode an XML file and mend what its declaration has wrong.

    Args:
        data: The file, in any of the usual encodings.

    Returns:
        The document in UTF-8 from its document type or root element on, without a declaration;
        and a sentence for each thing that was mended.
    """
    text, remarks = _decode(data)
    start = _START.search(text, 0, _JUNK_LENGTH)
    junk = text[: start.start()].strip("\ufeff\u200b\0") if start else ""
    declaration = _DECLARATION.search(text, 0, _JUNK_LENGTH + 300)
    if declaration and not text[: declaration.start()].strip("\ufeff \t\r\n\0"):
        text = text[declaration.end() :]
    elif declaration:
        # A comment or words before the declaration: the declaration alone goes.
        text = text[start.start() if start else 0 : declaration.start()] + text[declaration.end() :]
    elif start:
        text = text[start.start() :]
    if junk:
        remarks.append(
            "Words before the XML of the file were skipped."
            if junk.strip()
            else "Blank space before the XML declaration was skipped."
        )
    tail = max(0, len(text) - _TAIL_LENGTH)
    ends = list(_END.finditer(text, tail))
    if ends and text[ends[-1].end() :].strip()[:1] not in ("", "<"):
        text = text[: ends[-1].end()]
        remarks.append("Words after the end of the score were left out.")
    text = _EMPTY_SUBSET.sub(r"\1>", text, count=1)
    mended = _BARE_AMPERSAND.sub("&amp;", _BAD_REFERENCE.sub(" ", _BAD_CHARACTER.sub(" ", text)))
    if mended != text:
        remarks.append("Characters that XML does not allow were mended.")
    return mended.encode("utf-8", errors="replace"), remarks


def _decode(data: bytes) -> tuple[str, list[str]]:
    """The text of the file, and a sentence where the declaration names another encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), []
    if data[:1] and data[1:2] == b"\0":
        return data.decode("utf-16-le", errors="replace"), []
    if data[:1] == b"\0" and data[1:2]:
        return data.decode("utf-16-be", errors="replace"), []
    head = data[: _JUNK_LENGTH + 300].decode("latin-1")
    declaration = _DECLARATION.search(head)
    name = _ENCODING_NAME.search(declaration[0]) if declaration else None
    declared = " ".join(name[1].split()) if name else "UTF-8"
    remark = f"The file says that it is in {declared}; it was read as {{}}."
    try:
        text = data.decode("utf-8-sig")  # other encodings with accents hardly ever decode
    except UnicodeDecodeError:
        if _ENCODINGS.fullmatch(declared) and not _UNICODE.fullmatch(declared):
            try:
                return data.decode(declared), []
            except (UnicodeDecodeError, LookupError):
                pass
        return data.decode("cp1252", errors="replace"), [remark.format("Windows-1252")]
    plain = text.isascii() and _ENCODINGS.fullmatch(declared)
    return text, [] if plain or _UNICODE.fullmatch(declared) else [remark.format("UTF-8")]
