"""The text of a member's name in a zip, whose header does not say in which encoding most tools wrote it.

APPNOTE.TXT 6.3.10, appendix D: UTF-8 where the flag is set or a Unicode path field stands beside the name, code
page 437 elsewhere. In practice names without either are in the code page of the machine that packed them.
"""

from __future__ import annotations

# What two bytes of UTF-8 can hold and names do: Latin, Greek, Cyrillic, Hebrew, Arabic, and accents of their own.
_IN_USE = ((0xA0, 0x17F), (0x300, 0x36F), (0x386, 0x3CE), (0x400, 0x45F), (0x5D0, 0x5EA), (0x600, 0x6FF))


def decoded(raw: bytes, says_utf8: bool, unicode_path: bytes | None) -> str:
    """A name by the first of these rules that fits, so that equal bytes always give equal names.

    1. The flag says UTF-8: UTF-8, with a mark in place of bytes that are none.
    2. There is a Unicode path field that belongs to this name: what it says, in UTF-8.
    3. The bytes are valid UTF-8, as ASCII is: UTF-8. Not where all else than ASCII would be letters of scripts
       out of use and, as GB18030, characters of GB 2312: Chinese for `pictures` is valid UTF-8 of such a kind.
    4. They are valid GB18030 with a Chinese character of GB 2312 in it, as names of Chinese publishers are:
       GB18030. Accented letters of code page 437 never give such a one, rarer characters they easily do.
    5. Code page 437, which makes a name of any bytes.
    """
    if says_utf8:
        return raw.decode("utf-8", "replace")
    if unicode_path is not None:
        return unicode_path.decode("utf-8", "replace")
    text = _text(raw, "utf-8")
    if text is not None and (raw.isascii() or _is_in_use(text)):
        return text
    chinese = _text(raw, "gb18030")
    common = [] if chinese is None else [_is_common(character) for character in chinese if character > "\x7f"]
    if chinese is not None and (any(common) if text is None else all(common)):
        return chinese
    return raw.decode("cp437") if text is None else text


def _text(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_in_use(text: str) -> bool:
    """Whether one of the characters takes three bytes of UTF-8, or all are of a script that names are written in."""
    points = [ord(character) for character in text if character > "\x7f"]
    return any(point > 0x7FF for point in points) or all(
        any(first <= point <= last for first, last in _IN_USE) for point in points
    )


def _is_common(character: str) -> bool:
    """Whether it is a Chinese one of GB 2312, the 6,763 that are in daily use."""
    return "\u4e00" <= character <= "\u9fff" and bool(character.encode("gb2312", "ignore"))
