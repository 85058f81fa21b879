"""Finds the encoding of texts that name none, such as titles in MIDI files; decodes such texts.

A detector for documents needs pages; a MIDI file has a dozen words. So every encoding that can
decode all texts is tried, and the one is taken whose letters some language writes: the share of
its letters that belong to one alphabet, or to the frequent characters of a script. Standard
library only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import partial

_MAX_SAMPLE = 20_000  # bytes of all texts together that are looked at
_SIGNS = frozenset(
    "©®™°·•…–—‘’“”„«»¡¿ªº§♪♭♯★☆○●◎◇◆□■△▲▽▼※→←↑↓"
    "　、。・ー「」『』〜～！？：（）－／，．＆＋０１２３４５６７８９"
)
"""Signs that occur among the words of any language."""
_LATIN = (
    ("cp1252", 1.0, ("äöüß", "éèàçêôî,âëïûùœæ", "áéíóúñ,ü", "ãõáéíóúâêôç,à", "åäöé", "æøå,é")),
    ("cp1252", 1.0, ("àèéìòù,é", "ç,öü", "éëï,èöü")),
    ("cp850", 0.85, ("äöüß", "éèàçêôî,âëïûù", "áéíóúñ,ü", "åäöé", "æøå,é", "ãõáéíóúâêôç,à")),
    ("mac_roman", 0.85, ("äöüß", "éèàçêôî,âëïûùœ", "áéíóúñ,ü", "åäöé", "æøå,é", "ãõáéíóúâêôç,à")),
    ("cp1250", 1.0, ("áčďéěíňóřšťúůýž", "ąćęłńóśźż", "áéíóöőúüű", "čćšž,đ", "ăâîșțşţ")),
    ("cp1254", 1.0, ("çğıiöşüâî",)),
    ("cp1252", 1.0, ("áéíóúýþðæö",)),
)
"""Encodings, the most usual first: the weight of their letters, and the letters beside a to z that
a language writes, rare ones after a comma."""
_OTHER_ALPHABETS = {
    # Frequent letters, the rest of the alphabet, its vowels.
    "cp1251": ("оеаинтсрвлкмдпуяыьгзбч", "йхжшюцщэфъёіїєґ", "аеёиоуыэюяіїє"),
    "koi8_r": ("оеаинтсрвлкмдпуяыьгзбч", "йхжшюцщэфъё", "аеёиоуыэюя"),
    "cp866": ("оеаинтсрвлкмдпуяыьгзбч", "йхжшюцщэфъё", "аеёиоуыэюя"),
    "cp1253": ("αοιετσνηυρπκμλςάίόέήωγδθχύώ", "βζξφψϊϋΐΰ", "αοιεηυωάίόέήύώϊϋΐΰ"),
}
_GREEK_INITIALS = frozenset("ΆΈΉΊΌΎΏ")  # never inside a word
_EAST_ASIAN = ("cp932", "gbk", "big5", "cp949", "euc_jp")
_LEAD_BYTES = {
    # First bytes of the characters that a reader of the script knows.
    "cp932": (0x88, 0x98), "gbk": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "euc_jp": (0xB0, 0xCF),
    "cp949": (0xB0, 0xC8),
}  # fmt: skip
_LEAST_TRAIL = {"gbk": 0xA1, "cp949": 0xA1, "euc_jp": 0xA1}
"""The least second byte of such a character."""
_FREQUENT = frozenset(
    # Han characters that titles and names of parts are made of, both ways of writing.
    "的一是了我不在人们有来他这上着个地到大里说就去子得也和那要下看天时过出小么起你都把好还多没为又可家"
    "学只以主会样年想生同老中十从自面前头道后然走很像见两用她国动进成回什边作对开而己些现山民候经发工向"
    "事命给长水几三声于高手知理眼点心战二问但身方实吃做叫当住听打真全才四所之最光情路分总条白话东次亲如"
    "被花口放儿常气五第使写军吧文运再果怎定许快明行因别飞外树物活门无往船望新带先力完却站代机更九每风跟"
    "笑啊孩万少直意夜比连车重便马哪化太指变似者石满日百原各六本思解立河村八难早论根共让相今其书坐接应关"
    "信觉步反处记将千找或师结谁草越字加爱等习怕月青半火法题位唱海七女任感张离色片倒利世且由送星晚表够响"
    "雪流未场底深平近亮轻古黑告界拉名土清阳照史历转画此北必雨内传睡兴形体通合破友度公房极南沙岁线野空收"
    "至城落钱特胜教热歌乡呼性音旧神座受令跳非何牛取入岸忽种装急林停息般报叶慢背细恋曲调旋律钢琴吉贝斯鼓"
    "弦梦泪永恒朋祝福谣伴奏独奈桜春夏秋冬伝説世界戦闘物語組間君僕空恋涙夢愛風雲竜剣王姫勇者町城森塔最終"
    "們來這個裡說時過麼還沒為學會樣後頭見兩動進邊對開現經發問長幾聲於實當聽點戰話東親條從運許別飛樹門無帶"
    "隊機風萬連車馬變滿難論讓關覺處記將師結誰愛習場離夠響輕陽歷轉畫傳體極歲線錢勝熱類強數鄉舊種裝報葉細"
    "戀調鋼絲夢淚恆獨謠國媽爸哥弟妹姐宝寶港台湾灣京江黄黃河龙龍虎凤鳳蝶鸟鳥鱼魚红紅"
    # Hangul syllables.
    "이다는을가의에고하지를은도로기서한리아사라어나자대인스시그으일해들만수정부마여있게전상과제장보니것우면"
    "주원소안유미구조내거동성비오공국문연경신방중모선화관실생진분개간재회명위드피레트터노루타델랑별눈물래밤"
    "길꿈당너무날없람님베컨멜디음악곡럼컬색폰현반애송음행복별빛바람꽃봄여름가을겨울집달강산하늘친구세상그대"
)


def find_encoding(texts: Iterable[bytes]) -> str:
    """Find the encoding that texts of one origin have in common.

    Args:
        texts: as they stand in the file; those of ASCII alone say nothing.

    Returns:
        A codec of Python that decodes them; ``cp1252`` where nothing is for another.
    """
    sample: list[bytes] = []
    size = 0
    for text in texts:
        if not text.isascii() and text not in sample and b"\0" not in text:
            sample.append(text)
            size += len(text)
            if size > _MAX_SAMPLE:
                break
    if not sample or all(_is_utf_8(text) for text in sample):
        return "utf-8" if sample else "cp1252"
    best, best_score = "cp1252", 0.0
    for encoding, score_texts in _CANDIDATES:
        try:
            decoded = [text.decode(encoding) for text in sample]
        except UnicodeDecodeError:
            continue
        score = score_texts(decoded)
        if score > best_score + 1e-9:
            best, best_score = encoding, score
    return best


def decode_as(text: bytes, encoding: str) -> str:
    """Decode a text as letters, whatever stands in it.

    Args:
        text: bytes, perhaps cut off in a character.
        encoding: as `find_encoding` found it.

    Returns:
        The text; UTF-16 and ISO-2022 where its own bytes say so. Accents are joined to their
        letters, half-width kana are full-width; what cannot be decoded is left out.
    """
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif text.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    elif 4 * text.rstrip(b"\0").count(0) > len(text):
        encoding = "utf-16-be" if text[:1] == b"\0" else "utf-16-le"
    elif b"\x1b$" in text:
        encoding = "iso2022_jp"
    decoded = text.decode(encoding, errors="ignore")
    has_half_width = any("｡" <= sign <= "ﾟ" for sign in decoded)
    return unicodedata.normalize("NFKC" if has_half_width else "NFC", decoded)


def _is_utf_8(text: bytes) -> bool:
    """Whether a text is UTF-8, perhaps cut off in its last character."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data" and error.start >= len(text) - 3
        return is_cut and not text[: error.start].isascii()
    return True


def _east_asian_score(encoding: str, texts: Sequence[str]) -> float:
    return _mean(_east_asian_weights(encoding, text) for text in texts)


def _latin_score(weight: float, alphabets: Sequence[str], texts: Sequence[str]) -> float:
    return weight * max(
        _mean(_latin_weights(letters, text) for text in texts) for letters in alphabets
    )


def _vietnamese_score(texts: Sequence[str]) -> float:
    return _mean(_vietnamese_weights(text) for text in texts)


def _mean(weights: Iterable[Sequence[float]]) -> float:
    every = [weight for each in weights for weight in each]
    return sum(every) / max(1, len(every))


def _neighbors(text: str, place: int) -> tuple[str, str]:
    """The characters before and after one; spaces at the ends."""
    return text[place - 1] if place else " ", text[place + 1] if place + 1 < len(text) else " "


def _sign_weight(sign: str, before: str, after: str) -> float:
    """Plausibility of a character that is no letter of the language."""
    if sign not in _SIGNS:
        return -1.0
    if before.isalpha() and after.isalpha():
        return 1.0 if sign == "’" else -1.0
    is_among_signs = any(not (each.isascii() or each.isalpha()) for each in (before, after))
    return 0.1 if is_among_signs else 0.9 if sign == "…" else 0.6


def _breaks_case(text: str, place: int) -> bool:
    """Whether a letter is large amid small ones, or small among large ones."""
    sign = text[place]
    before, after = _neighbors(text, place)
    if sign.isupper():
        return before.islower() or (before.isupper() and after.islower())
    among_large = before.isupper() and (after.isupper() or text[max(0, place - 2)].isupper())
    return sign.islower() and (
        (among_large and place > 1) or (not before.isalpha() and after.isupper())
    )


def _latin_weights(letters: str, text: str) -> list[float]:
    """Plausibility of the characters beyond ASCII in a language of Latin letters."""
    frequent, _, _ = letters.partition(",")
    weights = []
    for place, sign in enumerate(text):
        if sign.isascii():
            continue
        before, after = _neighbors(text, place)
        if sign.lower() not in letters:
            weights.append(_sign_weight(sign, before, after))
        elif _breaks_case(text, place):
            weights.append(-0.5)
        elif not before.isalpha() and not after.isalpha():
            weights.append(0.3)
        else:
            weights.append(1.0 if sign.lower() in frequent else 0.9)
    return weights


def _vietnamese_weights(text: str) -> list[float]:
    """Plausibility of Vietnamese: its letters, and tone marks after vowels."""
    weights = []
    for place, sign in enumerate(text):
        if sign.isascii():
            continue
        before, after = _neighbors(text, place)
        if unicodedata.combining(sign):
            weights.append(1.0 if before.lower() in "aăâeêioôơuưy" else -1.0)
        elif sign.lower() in "ăâêôơưđáàéèíóúùý":
            weights.append(0.9)
        else:
            weights.append(_sign_weight(sign, before, after))
    return weights


def _alphabet_score(encoding: str, texts: Sequence[str]) -> float:
    """Plausibility of an alphabet beside the Latin one, by frequent letters, case and vowels."""
    frequent, rare, vowels = _OTHER_ALPHABETS[encoding]
    weights: list[float] = []
    letters = sung = 0
    for text in texts:
        for place, sign in enumerate(text):
            if sign.isascii():
                continue
            before, after = _neighbors(text, place)
            small = sign.lower()
            if small in frequent or small in rare:
                letters += 1
                sung += small in vowels
                is_broken = (
                    _breaks_case(text, place)
                    or (before.isascii() and before.isalpha())
                    or (sign in _GREEK_INITIALS and before.isalpha())
                )
                weights.append(-1.0 if is_broken else 1.0 if small in frequent else 0.5)
            else:
                weights.append(_sign_weight(sign, before, after))
    usual = not letters or 0.15 <= sung / letters <= 0.75
    return sum(weights) / max(1, len(weights)) - (0.0 if usual else 0.5)


def _east_asian_weights(encoding: str, text: str) -> list[float]:
    """Plausibility of characters of two bytes, and of half-width kana."""
    first, last = _LEAD_BYTES[encoding]
    is_japanese = encoding in ("cp932", "euc_jp")
    weights = []
    for place, sign in enumerate(text):
        if sign.isascii():
            continue
        before, after = _neighbors(text, place)
        if "｡" <= sign <= "ﾟ":
            weight = _half_width_weight(text, place) if encoding == "cp932" else -1.0
        elif "ぁ" <= sign <= "ヺ":
            weight = 1.0 if is_japanese else -0.3
        elif sign in _SIGNS:
            weight = 0.6
        elif "가" <= sign <= "힣" and encoding != "cp949":
            weight = -1.0
        elif sign in _FREQUENT:
            weight = 1.0 if encoding != "cp949" or "가" <= sign <= "힣" else -0.5
        elif "一" <= sign <= "鿿" or "가" <= sign <= "힣":
            code = sign.encode(encoding)
            is_known = first <= code[0] <= last and code[1] >= _LEAST_TRAIL.get(encoding, 0)
            weight = 0.5 if is_known else -0.5
            weight -= encoding == "cp949" and sign < "가"
        else:
            weight = -1.0
        in_word = any(each.isascii() and each.isalpha() for each in (before, after))
        weights.append(weight - 0.7 * in_word)
    return weights


def _half_width_weight(text: str, place: int) -> float:
    """Plausibility of a half-width kana: in a run of them; voice marks after what has voice."""
    before, after = _neighbors(text, place)
    if text[place] in "ﾞﾟ":
        return 1.5 if before in "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ" else -1.0
    return 0.7 if any("｡" <= each <= "ﾟ" for each in (before, after)) else -0.5


_CANDIDATES: tuple[tuple[str, Callable[[Sequence[str]], float]], ...] = (
    *((name, partial(_east_asian_score, name)) for name in _EAST_ASIAN),
    *((name, partial(_latin_score, weight, letters)) for name, weight, letters in _LATIN),
    ("cp1258", _vietnamese_score),
    *((name, partial(_alphabet_score, name)) for name in _OTHER_ALPHABETS),
)
"""Every encoding with what scores the decoded texts; of equal ones the first is taken."""
