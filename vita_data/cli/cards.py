"""`vita-data stages` and `vita-data sources`: the cards as tables."""

from __future__ import annotations

import textwrap
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vita_data.cli.lazy import verb_at
from vita_data.cli.options import option_lines
from vita_data.cli.output import json_option, print_json, table

if TYPE_CHECKING:
    from vita_data.manifest.mixture import MixtureCard
    from vita_data.manifest.source import SourceCard

# verb of `sources` -> where it lies
VERBS = {"check": "vita_data.cli.check:check", "add": "vita_data.cli.add:add"}
ROW_WIDTH, LICENCE_WIDTH = 24, 16  # so that a line of the table has no more than 100 columns

manifests_option = click.option(
    "--manifests", type=click.Path(path_type=Path), help="Folder with cards of your own."
)
mixture_option = click.option("--mixture", help="Name of a mixture card, or a file; default: paper.")


@click.command()
@manifests_option
@json_option
def stages(manifests: Path | None, as_json: bool) -> None:
    """The stages: what each takes, trains and starts from."""
    from vita_data.manifest.find import all_stages
    from vita_data.manifest.tables import stage_rows

    rows = stage_rows(all_stages(manifests))
    if as_json:
        print_json({"stages": rows})
        return
    heads = ["stage", "title", "shares", "trains", "loss", "needs", "learning_rate", "global_batch"]
    click.echo(table(heads, [[_plain(row[head]) for head in heads] for row in rows]))
    options = ((row["stage"], name, reason) for row in rows for name, reason in row["options"].items())
    if told := option_lines(options):
        click.echo(f"\n{told}")


class _Sources(click.Group):
    """The verbs of `sources`; any other word is the name of a source, whose card is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in their order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, loaded when it is asked for; the card of a source otherwise."""
        if cmd_name not in VERBS:
            return _card
        return verb_at(VERBS[cmd_name])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A name stays among the arguments, so that its card is shown."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command, args if command is _card else rest


@click.group(cls=_Sources, invoke_without_command=True, subcommand_metavar="[NAME | COMMAND [ARGS]...]")
@mixture_option
@manifests_option
@click.option("--all", "every", is_flag=True, help="Every card there is, instead of those of the mixture.")
@json_option
@click.pass_context
def sources(
    ctx: click.Context, mixture: str | None, manifests: Path | None, every: bool, as_json: bool
) -> None:
    """The sources of a mixture as a table, or all that the card of the source NAME says.

    The card says how to get a corpus, what is known to be wrong with it, and what stands in for it where
    it was never released. A word that is no command is a source; one that is called like a command is named
    by its file, as in `sources ./check.yaml`.
    """
    if ctx.invoked_subcommand is not None:
        return
    from vita_data.manifest.find import all_sources, load_mixture, load_sources

    card = load_mixture(mixture or "paper", manifests)
    cards = all_sources(manifests) if every else list(load_sources(card, manifests).values())
    rows = _rows(cards, card)
    if as_json:
        print_json({"sources": rows})
        return
    heads = ["source", "row", "amount", "type", "lang", "licence"]
    cells = [_cells(row) for row in rows]
    widest = max(len(cell[2]) for cell in cells)
    click.echo(table(heads, [[*cell[:2], cell[2].rjust(widest), *cell[3:]] for cell in cells]))
    if missing := [row["source"] for row in rows if not row["released"]]:
        click.echo("\n* never released; `vita-data sources NAME` says what can stand in for:")
        click.echo(textwrap.fill(", ".join(missing), 100, break_on_hyphens=False))


@click.command(hidden=True)
@click.argument("name")
@mixture_option
@manifests_option
@json_option
@click.pass_context
def _card(ctx: click.Context, name: str, mixture: str | None, manifests: Path | None, as_json: bool) -> None:
    """All that the card of a source says."""
    from vita_data.manifest.find import load_mixture, load_source

    given = ctx.parent.params if ctx.parent is not None else {}
    manifests = manifests or given.get("manifests")
    of = load_mixture(mixture or given.get("mixture") or "paper", manifests)
    card = load_source(name, of.path, manifests)
    rows = _rows([card], of)
    if as_json or given.get("as_json"):
        print_json({"sources": rows})
    else:
        click.echo(_details(rows[0], card.path))


def _rows(cards: list[SourceCard], mixture: MixtureCard) -> list[dict[str, Any]]:
    """The rows of cards, with the amounts of the mixture in the card's unit; hours are else those of the corpus."""
    from vita_data.manifest.tables import source_rows
    from vita_data.manifest.values import number

    rows = []
    for card, row in zip(cards, source_rows(cards, mixture), strict=True):
        line = mixture.line(card.source)
        amount = getattr(line, card.unit) if line is not None else None
        if amount is None and card.unit == "hours" and card.estimate is not None:
            amount = card.estimate.hours
        amount = number(amount) if isinstance(amount, Fraction) else amount
        hours = amount if card.unit == "hours" else None
        rows.append({**row, "unit": card.unit, "amount": amount, "hours": hours})
    return rows


def _cells(row: dict[str, Any]) -> list[str]:
    amount, unit = row["amount"], " h" if row["unit"] == "hours" else ""
    return [
        row["source"] + " *" * (not row["released"]),
        _short(row["row"], ROW_WIDTH),
        "-" if amount is None else amount if isinstance(amount, str) else f"{amount:,}{unit}",
        row["type"],
        row["language"],
        _short(row["licence"], LICENCE_WIDTH),
    ]


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 2].rstrip(" ,;(") + ".."


def _details(row: dict[str, Any], path: Path) -> str:
    """A card as labelled paragraphs."""
    lines = [f"{row['source']}: {row['title']}  ({path})"]
    for label, value in row.items():
        if label in ("source", "title") or value in (None, [], ()):
            continue
        words = (
            "".join(f"\n- {item}" for item in value)
            if isinstance(value, (list, tuple))
            else str(_plain(value))
        )
        lines.append(textwrap.indent(f"{label}: {words}", "  "))
    return "\n".join(lines)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {share:g}" for name, share in value.items())
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else value
