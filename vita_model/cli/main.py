"""`vita-model`: what a model is made of and costs, training it, and what it has seen."""

from __future__ import annotations

import click

from vita_model.cli.blame import blame
from vita_model.cli.encode import encode
from vita_model.cli.eval import evaluate
from vita_model.cli.export import export
from vita_model.cli.info import info
from vita_model.cli.order import order
from vita_model.cli.output import Verbs
from vita_model.cli.plot import plot
from vita_model.cli.proof import proof
from vita_model.cli.run import run
from vita_model.cli.train import train


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vita-toolkit", prog_name="vita-model")
def main() -> None:
    """Train VITA from the stages that vita-data builds."""


for _verb in (run, train, evaluate, proof, encode, export, order, blame, plot, info):
    main.add_command(_verb)
