"""Makes clean lines of the text of an ABC file, whatever program or page it was copied from.

What a web page, a mail or a word processor adds is taken away: tags and character references of
HTML, ``>`` before quoted lines, curly quotes, special spaces, indentation, blocks of text or
PostScript. Every pattern is bounded or matches in one way only, so the time is linear.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from bisect import bisect_right
from html import unescape

from mst_core.reading.formats import decode_text
from mst_core.reading.text_encoding import find_encoding

_CHARSET = re.compile(
    rb"^(?:%%|I:)[ \t]*(?:abc-charset|abc-encoding|encoding|charset)[ \t]+([\w.:-]{2,30})",
    re.MULTILINE | re.IGNORECASE,
)
_TEXT_FIELD = re.compile(rb"^[ \t]{0,20}[TCWwNHOSRAB]:(.{1,400})", re.MULTILINE)
_SEARCHED_FOR_CHARSET = 20_000  # bytes
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BREAK_TAG = re.compile(r"<(?:br|p|div|li|tr|pre|h[1-6]|hr)\b[^<>]{0,400}>[ \t]{0,9}\n?", re.I)
_TAG = re.compile(
    r"<(?:!doctype|html|head|body|meta|link|title|style|script|span|font|code|textarea|table|tbody"
    r"|td|th|ul|ol|blockquote|img|a(?=\s+\w+=))(?:\s[^<>]{0,400})?>|</[a-z][a-z0-9]{0,12}\s?>|<!--|-->",
    re.IGNORECASE,
)
_IS_PAGE = re.compile(r"</[a-z]|<br\b|<p>|<!", re.IGNORECASE)  # broken rhythm looks like a tag
_PAGE_CODE = ("script", "style")  # elements of a page whose text is no text
_MAIL_QUOTE = re.compile(r"(?:>[ \t]?)+")
_QUOTED_FIELD = re.compile(r"^(?:>[ \t]?)+[XTMLK]:", re.MULTILINE)
_KINDS = ("text", "ps", "svg", "ml", "js")
_BLOCK = re.compile(rf"(?:%%|I:)[ \t]*begin({'|'.join(_KINDS)})\b", re.IGNORECASE)
_FIELD = re.compile(r"([A-Za-z]):(?![|:])")
_FORMER_FIELD = re.compile(r"([xtklq]):(?=[^|:\]])")  # fields that someone wrote in small letters
_SPACES = dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x3000], " ")
_NOTHING: dict[int, str] = dict.fromkeys([0xFEFF, *range(0x200B, 0x200E), 0x2060, 0xAD], "")
_CHARACTERS = str.maketrans(_SPACES | _NOTHING)
_TYPEWRITER = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″＂", '"'),
        **dict.fromkeys("‘’‚‛′´ʼ＇", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("｜ǀ∣│", "|"),
        "♯": "^",
        "♭": "_",
        "♮": "=",
        "：": ":",
    }
)
_ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|([AaOo]a|AA|aa|AE|ae|OE|oe|ss|DH|dh|TH|th|[Oo]/|/[Oo])"
    r"|([`'^\"~=.;cvuH,])([A-Za-z])|([%\\&$]))"
)
_LIGATURES = {
    "AA": "Å", "aa": "å", "AE": "Æ", "ae": "æ", "OE": "Œ", "oe": "œ", "ss": "ß", "DH": "Ð",
    "dh": "ð", "TH": "Þ", "th": "þ", "O/": "Ø", "o/": "ø", "/O": "Ø", "/o": "ø",
}  # fmt: skip
_COMBINING = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "=": "\u0304",
    ".": "\u0307", ";": "\u0328", "c": "\u0327", ",": "\u0327", "v": "\u030c", "u": "\u0306",
    "H": "\u030b",
}  # fmt: skip
_MARKED = re.compile(
    r'"[^"]*"|![^!|]{1,40}!|\+[A-Za-z.()<>]{1,30}\+|\[[A-Za-z]:[^\[\]]*\]|\[r:|%.*'
)
MAX_PROSE_SHARE = 0.15
"""Largest share of letters that are neither notes nor rests in a line of music after a gap."""


def decode_abc(data: bytes) -> str:
    """Decode the bytes of an ABC file; never fails.

    Args:
        data: the whole file.

    Returns:
        The text in the character set that the file names (``%%abc-charset``), else in UTF-16 or
        UTF-8, else in the one in which its titles and words are words, such as Windows-1251.
    """
    data = data.rstrip(b"\0\x1a")  # padding and the end sign of old systems
    named = _CHARSET.search(data[:_SEARCHED_FOR_CHARSET])
    if named and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        name = named[1].decode("ascii")
        try:
            if codecs.lookup(name).name not in ("utf-8", "utf-16", "utf-32", "utf-7"):
                return data.decode(name)
        except (LookupError, ValueError):
            pass  # no such character set, or the file is in another one
    if b"\0" in data[:_SEARCHED_FOR_CHARSET] or data.isascii() or _is_utf_8(data):
        return decode_text(data)
    others = [line.strip() for line in _TEXT_FIELD.findall(data) if not _is_utf_8(line)]
    encoding = find_encoding(others)
    # A book collected from several sources may hold several encodings.
    return "\n".join(
        line.decode("utf-8-sig" if _is_utf_8(line) else encoding, errors="replace")
        for line in data.split(b"\n")
    )


def _is_utf_8(data: bytes) -> bool:
    """Whether bytes are UTF-8 throughout."""
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def clean_lines(text: str) -> list[str]:
    """Return the lines of an ABC text without what pages and mail added, and without text blocks.

    Args:
        text: a whole file, or one tune.

    Returns:
        Its lines without spaces around them; lines of a block are left out.
    """
    if "&" in text:
        text = _REFERENCE.sub(lambda found: unescape(found[0]), text)
        if "&lt;" in text or "&gt;" in text or "&quot;" in text:
            text = _REFERENCE.sub(lambda found: unescape(found[0]), text)  # escaped twice
    if _IS_PAGE.search(text):
        for element in _PAGE_CODE:
            text = _without_element(text, element)
        text = _TAG.sub("", _BREAK_TAG.sub("\n", text))
    if _QUOTED_FIELD.search(text):
        text = "\n".join(_MAIL_QUOTE.sub("", line, count=1) for line in text.splitlines())
    lines = [line.translate(_CHARACTERS).strip() for line in text.splitlines()]
    lines = [line for line in lines if not line.startswith("```")]
    if not any(line.startswith("K:") for line in lines):
        lines = [
            _FORMER_FIELD.sub(lambda found: found[0].upper(), line, count=1)
            if _FORMER_FIELD.match(line)
            else line
            for line in lines
        ]
    return _without_blocks(lines)


def plain_music(line: str) -> str:
    """Return a line of music in the characters of a typewriter.

    Args:
        line: the line without its comment.

    Returns:
        Curly quotes, dashes and signs such as ``♯`` are those that ABC knows.
    """
    return line if line.isascii() else line.translate(_TYPEWRITER)


def plain_text(text: str) -> str:
    r"""Return a title or name with its escapes resolved: ``Caf\'e``, ``100\%``, ``\u00e9``.

    Args:
        text: a text field without its comment.
    """
    text = _REFERENCE.sub(lambda found: unescape(found[0]), text) if "&" in text else text
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def without_comment(text: str) -> str:
    r"""Cut off a comment and the spaces around the rest; ``\%`` begins none.

    Args:
        text: a line or the text of a field.
    """
    if "%" not in text:
        return text.strip()
    return re.split(r"(?<!\\)%", text, maxsplit=1)[0].strip()


def is_music(line: str, *, most_prose: float = MAX_PROSE_SHARE) -> bool:
    """Whether a line looks like notes rather than words.

    Args:
        line: a line without its comment.
        most_prose: largest share of letters that are no notes.
    """
    bare = _MARKED.sub(" ", line)
    letters = [sign for sign in bare if sign.isalpha()]
    notes = sum(sign in "ABCDEFGabcdefgzxyZX" for sign in letters)
    marks = sum(sign in "HLMOPRSTuv" for sign in letters)  # decorations of one letter
    foreign = len(letters) - notes - min(marks, notes)
    return notes > 0 and foreign <= most_prose * len(letters)


def _unescaped(found: re.Match[str]) -> str:
    """The character of one escape."""
    code, ligature, accent, letter, sign = found.groups()
    if code:
        number = int(code, 16)
        return "" if 0xD800 <= number <= 0xDFFF else chr(number)
    if ligature:
        return _LIGATURES.get(ligature, ligature)
    if accent:
        return unicodedata.normalize("NFC", letter + _COMBINING[accent])
    return str(sign)


def _without_element(text: str, element: str) -> str:
    """Leave out the elements of a name from a page."""
    lower = text.lower()
    kept: list[str] = []
    position = 0
    while True:
        start = lower.find(f"<{element}", position)
        end = lower.find(f"</{element}", start) if start >= 0 else -1
        if end < 0:
            return "".join([*kept, text[position:]])
        kept.append(text[position:start])
        position = end


def _without_blocks(lines: list[str]) -> list[str]:
    """Leave out blocks of text; one that is never ended ends before the next field or music."""
    kept: list[str] = []
    number = 0
    ends = {name: [i for i, line in enumerate(lines) if _ends_block(line, name)] for name in _KINDS}
    tunes = [i for i, line in enumerate(lines) if line.startswith("X:")]
    while number < len(lines):
        block = _BLOCK.match(lines[number])
        if not block:
            kept.append(lines[number])
            number += 1
            continue
        end = _next(ends[block[1].lower()], number)
        if end is not None and end < (_next(tunes, number) or len(lines)):
            number = end + 1
            continue
        number += 1
        while number < len(lines) and not _is_tune_line(lines[number]):
            number += 1
    return kept


def _next(numbers: list[int], after: int) -> int | None:
    """The first of some rising numbers that is above another one."""
    place = bisect_right(numbers, after)
    return numbers[place] if place < len(numbers) else None


def _ends_block(line: str, name: str) -> bool:
    return line[:20].replace(" ", "").lower().startswith((f"%%end{name}", f"i:end{name}"))


def _is_tune_line(line: str) -> bool:
    """Whether a line ends an open block: a field, or music with a barline."""
    return bool(_FIELD.match(line)) or ("|" in line and is_music(line))
