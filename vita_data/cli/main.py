"""The `vita-data` command: a group whose verbs are loaded when they are asked for."""

from __future__ import annotations

import sys
from typing import Any

import click

from vita_data.cli.lazy import verb_at
from vita_data.errors import VitaError

# verb -> where it lies; in the order of a first day with the toolkit
VERBS = {
    "build": "vita_data.cli.build:build",
    "plan": "vita_data.cli.plan:plan",
    "prove": "vita_data.cli.prove:prove",
    "why": "vita_data.cli.why:why",
    "rejects": "vita_data.cli.rejects:rejects",
    "decontaminate": "vita_data.cli.decontaminate:decontaminate",
    "show": "vita_data.cli.show:show",
    "init": "vita_data.cli.init:init",
    "sample": "vita_data.cli.sample:sample",
    "digits": "vita_data.cli.digits:digits",
    "pack": "vita_data.cli.pack:pack",
    "clean": "vita_data.cli.clean:clean",
    "stages": "vita_data.cli.cards:stages",
    "sources": "vita_data.cli.cards:sources",
}


class Verbs(click.Group):
    """Loads a verb's module at its first use, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in their order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb."""
        if cmd_name not in VERBS:
            return None
        return verb_at(VERBS[cmd_name])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a verb; what a person must mend is one line on standard error and an exit status."""
        try:
            return super().invoke(ctx)
        except VitaError as error:
            click.echo(f"vita-data: {error}", err=True)
            sys.exit(error.status)


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vita-toolkit")
def main() -> None:
    """Turn corpora in their publishers' formats into the stage-ratioed shards that VITA-1.5 trains on.

    Exit status: 0 done, 1 the data or the claim is wrong, 2 the call is wrong.
    """
