"""What the words of records tell: their language, and whether they describe or answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vita_data.sources.base import Native

_DESCRIBING = ("describe", "caption", "what do you see", "detail", "描述", "说明")


@dataclass(frozen=True)
class Words:
    """Counts over some records; `kinds` are those of their media."""

    records: int = 0
    answers: int = 0
    chinese: int = 0
    describing: int = 0
    upper: int = 0
    kinds: tuple[str, ...] = ()

    @classmethod
    def of(cls, records: list[Native]) -> Words:
        """The counts of some records."""
        asked = [_said(record, True) for record in records]
        told = [_said(record, False) for record in records]
        kinds = sorted({medium.kind for record in records for medium in record.media})
        return cls(
            len(records),
            sum(len(words) for words in told),
            sum(any("\u4e00" <= each <= "\u9fff" for each in " ".join(words)) for words in told),
            sum(not "".join(words).strip() or _describes(words[0]) for words in asked if words),
            sum(text.isupper() for words in told for text in words),
            tuple(kinds),
        )

    @classmethod
    def joined(cls, each: list[Words]) -> Words:
        """The counts of several files together."""
        joined = [
            sum(getattr(one, name) for one in each)
            for name in ("records", "answers", "chinese", "describing", "upper")
        ]
        kinds = tuple(sorted({kind for one in each for kind in one.kinds}))
        return replace(cls(*joined), kinds=kinds)

    @property
    def language(self) -> str:
        """en, zh or en-zh."""
        share = self.chinese / self.records if self.records else 0.0
        return "zh" if share > 0.9 else "en-zh" if share > 0.1 else "en"

    @property
    def is_upper(self) -> bool:
        """Whether all is said in capitals."""
        return bool(self.answers) and self.upper == self.answers

    def row(self, adapter: str, speech: str | None) -> tuple[str, str]:
        """The scenario and the type of a card's row."""
        if speech is not None or adapter == "manifest":
            return "Speech", (speech or "asr").upper()
        if adapter in ("ocr_json", "donut"):
            return "OCR & Diagram", "Description"
        scenario = (
            "General Video" if "video" in self.kinds else "General Image" if self.kinds else "Pure Text"
        )
        caption = self.kinds and self.answers == self.records and self.describing * 2 > self.records
        return scenario, "Description" if caption else "QA"

    def why(self, scenario: str, type_: str) -> str:
        """A line on what follows from the words."""
        media = " and ".join(self.kinds) or "no media"
        chinese = f"{self.chinese / self.records:.0%}" if self.records else "0%"
        return f"{scenario}, {type_}: records with {media}; Chinese in {chinese} of them, so language {self.language}"


def _said(record: Native, by_human: bool) -> list[str]:
    roles = ("human", "user")
    return [
        turn["value"]
        for turn in record.turns
        if (turn.get("from") in roles) == by_human
        and turn.get("from") != "system"
        and isinstance(turn.get("value"), str)
    ]


def _describes(question: str) -> bool:
    return any(word in question.lower() for word in (*_DESCRIBING, "show", "展示"))
