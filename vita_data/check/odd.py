"""What a look at a source makes one say: what is wrong beyond its tolerance, and what is odd."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import comb
from typing import Any

from vita_data.check.opened import Archive, Opened
from vita_data.check.records import Rule, Tally
from vita_data.manifest.source import SourceCard
from vita_data.media.containers.left_out import sentences
from vita_data.sources.head import Reading

FEW = 0.9  # of a row's amount, below which it is told
CHANCE = 0.05
MOST_ARCHIVES = 5
MUCH = 0.05  # of the records, above which a rule of structure is told
LANGUAGES = {
    "zh": (0.9, 1.0),
    "en": (0.0, 0.1),
    "en-zh": (0.05, 0.95),
}  # share of records with Chinese in them


@dataclass(frozen=True)
class Look:
    """All that was seen of a source."""

    card: SourceCard
    tally: Tally
    opened: Opened
    reading: Reading
    there: dict[str, Any]


def wrong(look: Look) -> list[str]:
    """Sentences about what would end a build."""
    tally, opened, said = look.tally, look.opened, []
    tolerance = float(look.card.tolerance)
    unread = tally.refused("read")
    wanted = tally.read - tally.unwanted
    if _is_beyond(unread, wanted, tolerance):
        said.append(_beyond(unread, wanted, "records cannot be read", tolerance, tally.rules, "read"))
    lost = len(opened.missing) * (look.card.media.missing == "reject")
    broken = lost + opened.tried - opened.opened - len(opened.missing)
    if _is_beyond_chance(broken, opened.tried, tolerance) or (broken and not opened.opened and tolerance < 1):
        said.append(
            _beyond(broken, opened.tried, "media are missing or broken", tolerance, opened.rules, "media")
        )
    if wanted and not tally.kept:
        said.append(f"none of the {wanted:,} wanted records can be kept; {_worst(tally.rules)}")
    elif not tally.read and not look.reading.errors:
        said.append(
            "the annotation files hold no record; fetch them again, or mend the card's adapter and options."
        )
    return said


def odd(look: Look, archives: list[Archive]) -> list[str]:
    """Sentences about what a person should look at."""
    return [
        *_structure(look),
        *_unwanted(look),
        *_ids(look.tally),
        *_language(look),
        *_media(look, archives),
        *_archives(archives),
        *_amount(look.there),
    ]


def _is_beyond(count: int, of: int, tolerance: float) -> bool:
    """As a build has it: one bad record never ends it, unless none is tolerated."""
    return count > (max(1, int(tolerance * of)) if tolerance else 0)


def _is_beyond_chance(count: int, of: int, tolerance: float) -> bool:
    """Whether so many of a sample would hardly be bad (one time in twenty) if the whole were within its tolerance."""
    if not _is_beyond(count, of, tolerance):
        return False
    fewer = sum(comb(of, n) * tolerance**n * (1 - tolerance) ** (of - n) for n in range(count))
    return 1 - fewer < CHANCE


def _beyond(count: int, of: int, what: str, tolerance: float, rules: dict[str, Rule], step: str) -> str:
    some = {name: rule for name, rule in rules.items() if rule.step == step}
    return f"{count:,} of {of:,} {what}, beyond the card's tolerance of {tolerance:.1%}; {_worst(some)}"


def _worst(rules: dict[str, Rule]) -> str:
    """The rule that refused most, with an example."""
    name, rule = max(rules.items(), key=lambda item: item[1].count)
    return f"most by {name}, as {rule.examples[0]['at']}: {rule.examples[0]['words']}"


def _structure(look: Look) -> list[str]:
    tally = look.tally
    return [
        f"{rule.count:,} of {tally.read:,} records break the rule {name}, as {rule.examples[0]['at']}: "
        f"{rule.examples[0]['words']}"
        for name, rule in sorted(tally.rules.items())
        if rule.step == "structure" and rule.count > MUCH * tally.read
    ]


def _unwanted(look: Look) -> list[str]:
    tally = look.tally
    if tally.unwanted and not tally.read - tally.unwanted:
        (rule,) = sorted(tally.rules.values(), key=lambda rule: -rule.count)[:1]
        return [
            f"none of the first {tally.read:,} records is of those that the card's options choose, as "
            f"{rule.examples[0]['at']}: {rule.examples[0]['words']}"
        ]
    return []


def _ids(tally: Tally) -> list[str]:
    said = []
    if 0 < tally.without_id < tally.read:
        said.append(
            f"{tally.without_id:,} of {tally.read:,} records have no id; their position stands for it."
        )
    if tally.doubled:
        known = tally.doubled
        said.append(
            f"{len(known):,} ids stand for more than one record, as {known[0][:60]}; each of them is read, and "
            "numbered in its order."
        )
    return said


def _language(look: Look) -> list[str]:
    tally, language = look.tally, look.card.language
    if not tally.texts:
        return []
    share = tally.chinese / tally.texts
    least, most = LANGUAGES[language]
    if least <= share <= most:
        return []
    return [f"{share:.0%} of the kept records hold Chinese, where the card says language {language}."]


def _media(look: Look, archives: list[Archive]) -> list[str]:
    opened, said = look.opened, []
    if opened.missing and look.card.media.missing == "keep-text":
        said.append(
            f"{len(opened.missing)} of {opened.tried} media are missing; their records go on as text, as the card says."
        )
    broken = opened.tried - opened.opened - len(opened.missing) * (look.card.media.missing == "keep-text")
    if broken and broken > float(look.card.tolerance) * opened.tried:
        said.append(
            f"{broken} of {opened.tried} media that were opened are missing or broken; of so few this may be chance."
        )
    skipped = [each.name for each in archives if each.skipped]
    if opened.unlooked:
        said.append(
            f"{len(opened.unlooked)} media were not looked for: they may lie in {skipped[0]}, which a build copies out "
            "once."
        )
    return said


def _archives(archives: list[Archive]) -> list[str]:
    """What the archives hold that cannot be found, of a few of them."""
    said = list(sentences({**asdict(each), "archive": each.name} for each in archives))
    more = f"{len(said) - MOST_ARCHIVES} more things of this kind about other archives are not shown."
    return [*said[:MOST_ARCHIVES], *[more] * (len(said) > MOST_ARCHIVES)]


def _amount(there: dict[str, Any]) -> list[str]:
    if there["row"] is None or there["there"] is None or there["there"] >= FEW * there["row"]:
        return []
    about = "" if there["exact"] else "about "
    row = "the mixture asks for" if there["of"] == "mixture" else "the card expects"
    share = there["there"] / there["row"]
    return [
        f"{about}{there['there']:,} {there['unit']} are there and {row} {there['row']:,.0f}: {share:.1%} of them."
    ]
