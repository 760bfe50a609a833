"""`vita-data sources check`: the first look at a corpus that was downloaded."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from vita_data.cli.output import for_terminal, json_option, print_json, size


@click.command()
@click.argument("name")
@click.option("--data-root", help="Folder or URL that holds the corpora; a root in the card stands as it is.")
@click.option("--mixture", help="Mixture card whose amount is compared; default: paper.")
@click.option("--manifests", type=click.Path(path_type=Path), help="Folder with cards of your own.")
@click.option("--records", type=click.IntRange(1), default=1000, show_default=True, help="Records to read.")
@click.option("--media", type=click.IntRange(0), default=100, show_default=True, help="Media to open.")
@json_option
def check(
    name: str,
    data_root: str | None,
    mixture: str | None,
    manifests: Path | None,
    records: int,
    media: int,
    as_json: bool,
) -> None:
    """Look at the corpus of the source NAME (or card file): what is there, what is missing, what is odd.

    Finds the files that the card expects, reads the first records, opens some of their media as a build would,
    and compares what is there with the table row. Exit status: 0 fine, 1 something is wrong beyond the card's
    tolerance, 2 the call is wrong.
    """
    from vita_data.check.source import Asked, check_source
    from vita_data.manifest.find import load_mixture, load_source

    card_of = load_mixture(mixture or "paper", manifests)
    beside = card_of.path if mixture is not None else None
    card = load_source(name, beside, manifests)
    bar = _Bar()
    said = check_source(card, data_root, card_of.line(card.source), Asked(records, media), bar)
    bar.clear()
    if as_json:
        print_json(said)
    else:
        click.echo(for_terminal(readable(said)))
    sys.exit(0 if said["ok"] else 1)


class _Bar:
    """What is being done, on a line of a terminal that is written over and cleared at the end."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if self._shown and now - self._last > 0.2:
            self._last = now
            click.echo(f"\r\x1b[2K{what} {done:,}/{of:,}\r", nl=False, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[2K", nl=False, err=True)


def readable(said: dict[str, Any]) -> str:
    """The answer as lines for a person."""
    lines = [f"{said['source']}: {said['title']}", f"below {said['root']}", ""]
    lines += [_file(each) for each in said["files"]]
    lines += [_archive(each) for each in said["archives"]]
    lines += ["", _records(said["records"]), *_rules(said["records"]["rules"])]
    lines += [_media(said["media"]), *_rules(said["media"]["rules"])]
    lines += [f"  {name}: {_range(*ends)}" for name, ends in said["media"]["ranges"].items()]
    lines.append(_amount(said["estimate"], said["records"]["all"]))
    for label in ("wrong", "odd"):
        lines += ["", label, *(f"- {sentence}" for sentence in said[label])] if said[label] else []
    return "\n".join([*lines, "", _verdict(said)])


def _file(each: dict[str, Any]) -> str:
    what = "not there" if not each["found"] else f"{each['found']:,} file{'s' * (each['found'] != 1)}"
    return f"annotations {each['pattern']}: {what}" + (f", {size(each['bytes'])}" if each["found"] else "")


def _archive(each: dict[str, Any]) -> str:
    what = "too large to be looked into" if each["skipped"] else f"{each['members']:,} members"
    left = sum(each["left_out"].values())
    return f"archive {each['name']}: {size(each['bytes'])}, {what}" + f", {left:,} left out" * bool(left)


def _records(said: dict[str, Any]) -> str:
    which = "all" if said["all"] else "the first"
    other = f", {said['unwanted']:,} not asked for by the card" if said["unwanted"] else ""
    chinese = f", Chinese in {said['chinese'] / said['kept']:.0%} of them" if said["kept"] else ""
    return f"records: {which} {said['read']:,} read, {said['kept']:,} good{chinese}{other}"


def _media(said: dict[str, Any]) -> str:
    if not said["named"]:
        return "media: the records name none"
    tried = said["opened"] + said["missing"] + said["broken"]
    unlooked = f", {said['unlooked']} not looked for" if said["unlooked"] else ""
    return (
        f"media: {tried} of {said['named']:,} tried, {said['opened']} good, {said['missing']} missing, "
        f"{said['broken']} broken{unlooked}"
    )


def _rules(rules: dict[str, Any]) -> list[str]:
    return [
        f"  {name}: {rule['count']:,}, as {rule['examples'][0]['at']}: {rule['examples'][0]['words']}"
        for name, rule in rules.items()
    ]


def _range(least: float, most: float) -> str:
    shown = [
        f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" for value in (least, most)
    ]
    return shown[0] if shown[0] == shown[1] else " to ".join(shown)


def _amount(there: dict[str, Any], counted: bool) -> str:
    about = "" if there["exact"] else "about "
    amount = "an unknown amount of" if there["there"] is None else f"{about}{there['there']:,}"
    row = {"mixture": "the mixture asks for", "card": "the card expects"}.get(there["of"])
    against = f"; {row} {there['row']:,.0f}" if row else ""
    records = "" if counted else "about "
    return f"there: {records}{there['records']:,} records with {amount} {there['unit']}{against}"


def _verdict(said: dict[str, Any]) -> str:
    if said["ok"]:
        return f"fine, within the card's tolerance of {said['tolerance']:.1%}" + (
            f"; {len(said['odd'])} odd" if said["odd"] else ""
        )
    return f"wrong: {len(said['wrong'])} thing{'s' * (len(said['wrong']) != 1)} to mend before a build"
