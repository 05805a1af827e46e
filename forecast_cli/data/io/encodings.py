"""The encoding of a text, inferred from its first bytes."""

import codecs
import re

# Byte order marks, and the encodings that they indicate.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
KOREAN, JAPANESE, WESTERN = "cp949", "cp932", "cp1252"
LEAST_IN_USE = 0xA1
HANGUL = "[가-힣]"
# Text in Western letters may be that of a few Chinese characters, but hardly of these.
KANA = "[年月日時ぁ-んァ-ヶ]"
CHARACTERS = "[\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60\uffe0-\uffef]*"
CONTROL = "[\x00-\x08\x0e-\x1f]"


def find_encoding(start: bytes) -> str | None:
    """Infer the encoding of a text; None where it is no text, or unknown.

    A byte order mark decides; then UTF-8, which other text is hardly ever by coincidence; then
    UTF-16 by its zeros; then Korean where the letters beyond ASCII are mostly Hangul in use; then
    Japanese where all of them are Japanese; then Western European. General detectors take the few
    letters of a header for those of any language.

    >>> find_encoding("Größe".encode("latin-1")), find_encoding("종가".encode("cp949"))
    ('cp1252', 'cp949')
    """
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    if decoded(start, "utf-8") is not None:
        return "utf-8"
    for name, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros.count(0) > 0.9 * len(zeros) and decoded(start, name) is not None:
            return name
    korean = decoded(start, KOREAN)
    if korean is not None:
        foreign = "".join(letter for letter in korean if letter > "\x7f")
        # The thousands of syllables that EUC-KR has no code for are hardly ever written.
        in_use = "".join(each for each in foreign if min(each.encode(KOREAN)) >= LEAST_IN_USE)
        if 2 * len(re.findall(HANGUL, in_use)) >= len(foreign):
            return KOREAN
    japanese = decoded(start, JAPANESE)
    if japanese is not None:
        foreign = "".join(letter for letter in japanese if letter > "\x7f")
        if re.fullmatch(CHARACTERS, foreign) and re.search(KANA, foreign):
            return JAPANESE
    western = decoded(start, WESTERN)
    return None if western is None or re.search(CONTROL, western) else WESTERN


def decoded(start: bytes, encoding: str) -> str | None:
    """Decode the beginning of a text, which may end within a letter; None where that fails.

    Raises:
        LookupError: There is no such encoding.
    """
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeError:
        # UTF-16 without its mark is no UnicodeDecodeError.
        return None
    return None if "\0" in text else text
