"""What answers say stands in their pictures, against what an engine read there."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from vita_data.curate.rules.base import Sample, Turns
from vita_data.records.reject import Reject

# Raise when other words of an answer would be looked for, so that other samples would be read.
VERSION = 1
RULE = "ocr_disagrees"  # as rejects name it
_RUN, _CHINESE_RUN = 5, 2  # letters and Chinese characters that must stand together in both to count as read
_LEAST = 4  # letters of a claim, a Chinese one counted as two: less stands everywhere
_SHOWN = 60  # characters of each side in the message

_ASKS = re.compile(
    r"\b(?:read(?:s|ing)?|write (?:down|out)|extract|copy)\b[^?.!\n]{0,40}"
    r"\b(?:texts?|words?|signs?|lines?|letters|captions?|labels?|page|writing|receipt|document|menu|invoice)\b"
    r"|\btranscri(?:be|ption)\b|\bocr\b"
    r"|\bwhat(?:'s|\s+is|\s+was|\s+are)?(?:\s+the)?(?:\s+(?:texts?|words?)(?:\s+(?:is|are))?)?\s+(?:written|printed)\b"
    r"|\bwhat\s+(?:does|do|did)\s[^?.!\n]{1,60}\s(?:say|read)\b"
    r"|\bwh(?:at|ich)\s+(?:texts?|words?)\s+(?:is|are|can|do|does|appears?|stands?)\b"
    r"|读出|念出|转录|抄写|(?:识别|提取|列出|[写抄][下出])[^。？！\n]{0,10}(?:文字|文本|字)|字[^。？！\n]{0,4}写下来"
    r"|写[了着]?(?:的是)?(?:什么|啥|哪些)|(?:什么|哪些|所有|全部)的?(?:文字|字)|文字(?:内容)?[是有](?:什么|哪些)",
    re.IGNORECASE,
)
_OTHER_WORDS = re.compile(  # what is asked for does not stand there in these words
    r"\btranslat|\bsummar|\bmean(?:s|ing)?\b|\bexplain|\bdescri|翻译|译成|意思|含义|总结|概括|描述|解释",
    re.IGNORECASE,
)
_NO_TEXT = re.compile(
    r"\b(?:no|not any|without)\b[^.\n]{0,30}\b(?:texts?|words|writing|letters)\b"
    r"|\b(?:illegible|unreadable|unanswerable)\b|没有[^。\n]{0,8}(?:文字|字)|无法(?:辨认|识别|看清)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“([^”]{1,400})”|\"([^\"\n]{1,400})\"|「([^」]{1,400})」|『([^』]{1,400})』")
_SAYS = re.compile(
    r"\b(?:says?|saying|reads?|reading|written|printed|label+ed|titled|words?|text|sign|logo|caption|inscription"
    r"|letters|slogan|headline)\b[^.!?\n]{0,40}$"
    r"|(?:写着|写有|写的是|印着|印有|文字|标语|标题|招牌|标牌|横幅|字样)[^。！？\n]{0,20}$",
    re.IGNORECASE,
)
_AS_LETTERS = re.compile(r"^(?:的)?(?:字样|几个(?:大)?字|字)")
_BEFORE = 80  # characters before a quotation in which it is said to be text
# "The sign says:" in front of the text; where it cuts into the text itself, the rest is still there to be read.
_LEAD = re.compile(
    r"^[^\n:：]{0,100}?(?:\b(?:says?|reads?|written|states?|text is|follows)\b|写着|写道|写的是|内容是|文字是|如下)"
    r"[^\S\n]*[:：,，]?\s*(?=\S)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<[^<>\n]{1,200}>|\\[A-Za-z]+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_UNREAD = re.compile(
    r"[^a-z0-9\u3040-\u30ff\u3400-\u9fff\uf900-\ufaffßæœøłđıþð]"
)  # not in the engine's alphabet


def ocr(sample: Sample, least: float) -> Reject | None:
    """Refuses an answer of whose text less than this part was read in its pictures, among the samples that were read.

    For labels that belong to other pictures, and captions whose quoted signs were made up; a sample of them is read,
    because reading is dear, and tells how many more there are. Text is what an answer quotes as written ("a sign that
    says ...", “...”字样) and the whole answer to a question that asks to read; all else, such as figures asked of a
    chart, is never judged. Counted are letters that stand in a run of five (of two for Chinese) in both, in any order,
    without regard to case, accents, signs and white space: two different pages of English share a tenth. Source:
    recall of n-grams as in ROUGE (Lin 2004), on characters. Wrong for handwriting, curved, tiny or vertical words and
    formulas, which the engine reads badly, for answers that describe as well what they read, and for quoted titles
    that are not in the picture: look at what it refuses first.
    """
    claims = claimed(sample.turns) if sample.read is not None else []
    if sample.read is None or not claims:
        return None
    part = part_read(claims, sample.read)
    if part >= least:
        return None
    words = (
        f"{part:.0%} of the text that an answer gives was read in its pictures: "
        f"it gives “{_short(claims)}”, and “{_short(sample.read)}” was read."
    )
    return Reject(RULE, words, f"{part:.3f}", str(least))


def claimed(turns: Turns) -> list[str]:
    """What the answers of a sample say stands in its pictures, as they write it; nothing where that is too little."""
    claims = [claim for asked, said in _pairs(turns) for claim in _of_answer(asked, said)]
    letters = sum(map(_weight, map(_normal, claims)))
    return claims if letters >= _LEAST else []


def _pairs(turns: Turns) -> Iterator[tuple[str, str]]:
    asked = ""
    for turn in turns:
        if turn["from"] == "gpt":
            yield asked, turn["value"]
        else:
            asked = turn["value"]


def _of_answer(asked: str, said: str) -> list[str]:
    asks = _ASKS.search(asked) is not None and not _OTHER_WORDS.search(asked)
    fields = _fields(said) if asks else []
    quoted = [
        next(filter(None, match.groups()))
        for match in _QUOTED.finditer(said)
        if asks or _is_text(said[: match.start()][-_BEFORE:], said[match.end() :][:8])
    ]
    whole = _MARKUP.sub("\n", _LEAD.sub("", said, count=1)).splitlines()
    claims = fields or quoted or (whole if asks and not _NO_TEXT.search(said) else [])
    return [claim for claim in claims if _readable(claim)]


def _is_text(before: str, after: str) -> bool:
    return _SAYS.search(before) is not None or _AS_LETTERS.search(after) is not None


def _fields(said: str) -> list[str]:
    """The values of an answer in JSON, since no key stands on a receipt; nothing for another answer."""
    if said.lstrip()[:1] not in ("{", "["):
        return []
    try:
        return list(_texts(json.loads(said)))
    except (ValueError, RecursionError):
        return []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _readable(claim: str) -> bool:
    """Whether most of a claim is in letters that the engine knows."""
    letters = [one for one in unicodedata.normalize("NFKC", claim).casefold() if one.isalnum()]
    return 2 * len(_normal(claim)) > len(letters)


def _normal(text: str) -> str:
    """The letters and digits of a text that the engine knows, without case, accents, width and white space."""
    return _UNREAD.sub("", unicodedata.normalize("NFKD", text.casefold()).casefold())


def _weight(normal: str) -> int:
    return len(normal) + len(_CHINESE.findall(normal))


def part_read(claims: list[str], read: list[str]) -> float:
    """The part of the letters of claims, 0 to 1, in a run that was read; `read` has a text for each picture."""
    there = "\n".join(map(_normal, read))
    runs = {there[at : at + size] for size in (_RUN, _CHINESE_RUN) for at in range(len(there) - size + 1)}
    wanted = list(filter(None, map(_normal, claims)))
    letters = sum(map(len, wanted))
    return sum(_covered(claim, there, runs) for claim in wanted) / letters if letters else 1.0


def _covered(claim: str, there: str, runs: set[str]) -> int:
    """How many letters of a claim lie in one of its runs that was read; one shorter than a run counts as a whole."""
    if len(claim) < _RUN and claim in there:
        return len(claim)
    end = count = 0  # letters up to `end` are counted
    for at in range(len(claim)):
        size = _CHINESE_RUN if _CHINESE.match(claim, at) else _RUN
        begin = max(0, min(at, len(claim) - size))  # the last letters belong to the last run
        run = claim[begin : begin + size]
        if len(run) == size and run in runs:
            count += max(0, begin + size - max(end, begin))
            end = max(end, begin + size)
    return count


def _short(texts: list[str]) -> str:
    text = " ".join(" ".join(texts).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
