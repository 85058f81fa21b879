"""Reads the name of a part: whether its words are those of a tune or of an accompaniment.

Only whole words count, and the words beside them: "Backing Vocals" accompany, a "Lead Guitar" has
the tune where nobody sings, and "Instrument" is no strumming. A name of a sound ("Voice Oohs", "Saw
Lead") says which sound plays, not what it plays.
"""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import pairwise


class PartRole(StrEnum):
    """What the name of a part says about it."""

    TUNE = "tune"
    """The melody: melody, vocals, Gesang."""
    LEAD = "lead"
    """A leading instrument, the melody where nobody sings: lead guitar, solo, right hand."""
    SECOND = "second"
    """Another voice beside a melody: backing vocals, harmony, choir, voice 2."""
    SECTION = "section"
    """Strings and other sections, which mostly accompany."""
    ACCOMPANIMENT = "accompaniment"
    """Bass, pad, chords, rhythm guitar, left hand."""
    UNKNOWN = "unknown"
    """Nothing that helps: an instrument, a number, no name."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TUNE = _words("""
    melody melodie melodia mélodie melodi melod melo vocal vocals vocalist vocales voca voc vocs vox
    voice voix voce voz singer singers sing sang singstimme gesang gesangsstimme canto cantus
    cantante chant chanteur chanteuse tune theme thema tema stimme leadvocal leadvox leadvoc
    mainvocal leadmelody мелодия вокал голос
""")
_TUNE_SIGNS = _words("メロディ メロ 旋律 歌 ボーカル ヴォーカル 主唱 人声 人聲 멜로디 보컬")
"""Words of scripts without spaces, found anywhere in a name."""
_LEAD = _words("""
    lead leads leading ld solo soloist soli main sopran soprano superius discant diskant discantus
    treble rh tutor tudor principal соло
""")
_SECOND = _words("""
    backing backings background back backup bck bckg bkg bkgd bg bgv bgvs bv bvs bvox backvocal
    backvocals backingvocals harmony harmonies harm harmonie chorus choir choirs chor chœur choeur
    coro coros echo delay second seconda 2nd ii iii duet duo counter countermelody
    descant obbligato double copy ghost grace ornament ornaments below хор подпевка
""")
_SECOND_SIGNS = _words("コーラス 合唱 和声 和聲 伴唱 코러스 ハモ")
_SECTION = _words("strings string str ensemble streicher cordes archi")
_ACCOMPANIMENT = _words("""
    bass basse basso baß bassi contrabass kontrabass bassline subbass pad pads chord chords akkord
    akkorde accord accords acordes accomp accompaniment accompagnement acompañamiento begleitung
    comp comping rhythm rhythmus rhy rhyt rhytm rythm ritmo rythmique strum strumming tuba continuo
    drone drones fx sfx efx effect effects drum drums drumkit percussion perc kit kick snare hihat
    cymbal cymbals timpani schlagzeug batterie bateria click metronome lh arp arpeggio arpeggios
    sweep bridge stab stabs riff groove аккорды бас ударные ритм аккомпанемент
""")
_ACCOMPANIMENT_SIGNS = _words("伴奏 ベース 和音 ドラム 鼓 貝斯 贝斯 베이스 드럼 반주")
_SOUND = _words("""
    ooh oohs aah aahs synth syn saw sawtooth sqr sq square sine calliope chiff chiffer charang
    fifths
""")
"""With them, "lead" and "voice" name a sound."""
_INSTRUMENT = _words("""
    sax saxophone saxofon saxophon trumpet trombone recorder clarinet klarinette flute flöte horn
    viola violin
""")
"""Beside them "soprano" names a size."""
_SIZES = _words("soprano sopran")
_HANDS = {
    ("right", "hand"): PartRole.LEAD,
    ("left", "hand"): PartRole.ACCOMPANIMENT,
    ("rechte", "hand"): PartRole.LEAD,
    ("linke", "hand"): PartRole.ACCOMPANIMENT,
    ("main", "droite"): PartRole.LEAD,
    ("main", "gauche"): PartRole.ACCOMPANIMENT,
    ("r", "h"): PartRole.LEAD,
    ("l", "h"): PartRole.ACCOMPANIMENT,
}
_WORD = re.compile(r"2nd|[^\W\d_]+|\d+")
_CAMEL_CASE = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_MAX_NAME = 200  # characters that are read


def find_role(name: str) -> PartRole:
    """Read the role of a part from its name.

    Args:
        name: the name as the file has it; empty where it has none.

    Returns:
        The role; ``UNKNOWN`` where no word helps.
    """
    name = _CAMEL_CASE.sub(" ", name[:_MAX_NAME])
    words = [word.lower() for word in _WORD.findall(name)]
    for pair in pairwise(words):
        if pair in _HANDS:
            return _HANDS[pair]
    found = frozenset(words)
    if found & _INSTRUMENT:
        found -= _SIZES
    sings = bool(found & _TUNE) or any(sign in name for sign in _TUNE_SIGNS)
    if found & _ACCOMPANIMENT or any(sign in name for sign in _ACCOMPANIMENT_SIGNS):
        role = PartRole.ACCOMPANIMENT
    elif (sings or found & _LEAD) and found & _SOUND:
        role = PartRole.UNKNOWN
    elif found & _SECOND or any(sign in name for sign in _SECOND_SIGNS):
        role = PartRole.SECOND
    elif sings or found & _LEAD:
        role = PartRole.TUNE if sings else PartRole.LEAD
        role = PartRole.SECOND if _is_further(words) else role
        if role is PartRole.LEAD and found & _SECTION:
            role = PartRole.UNKNOWN
    else:
        role = PartRole.SECTION if found & _SECTION else PartRole.UNKNOWN
    return role


def _is_further(words: list[str]) -> bool:
    """Whether a name begins or ends with a number from 2 to 9, as that of a second voice does."""
    return any(word.isdecimal() and 2 <= int(word[:4]) <= 9 for word in (words[0], words[-1]))
