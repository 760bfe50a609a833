"""`vita-model info`: what a preset is made of, and what training a stage of it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vita_data.errors import UsageError
from vita_model.cli.output import PRESET, as_json_option, plain_stdout, reported, show

if TYPE_CHECKING:
    from vita_model.config.model import ModelConfig
    from vita_model.cost.stage import Asked

GIGA = 1e9
DAY = 86400.0


@click.command()
@click.option("--preset", "name", type=PRESET, required=True, help="Model to count.")
@click.option("--stage", help="Say what trains in this stage and what it takes; 2.1a, 2.1b or another.")
@click.option("--mixture", default="paper", show_default=True, help="Mixture whose cards say how much data.")
@click.option("--option", "options", multiple=True, metavar="NAME", help="An option of the stage or mixture.")
@click.option("--manifests", type=click.Path(path_type=Path), help="Folder with cards of your own.")
@click.option("--gpus", type=click.IntRange(1), default=32, show_default=True, help="How many GPUs.")
@click.option(
    "--tflops",
    type=click.FloatRange(0, min_open=True),
    default=312.0,
    show_default=True,
    help="Peak of one GPU in bf16; an A100's.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.4,
    show_default=True,
    help="Of it in use.",
)
@click.option(
    "--price", type=click.FloatRange(0), default=2.0, show_default=True, help="Of one GPU for an hour."
)
@as_json_option
@reported
def info(name: str, stage: str | None, as_json: bool, **chosen: Any) -> None:
    """Count the parameters of a preset by part, and what training a stage of it takes.

    Operations are those of the stage's average sample, counted as they are executed; tokens and tiles are the
    estimates of the cards. Memory is of one GPU, by ZeRO stage. Nothing is allocated.
    """
    from vita_model.config.presets import preset

    config = preset(name)
    with plain_stdout():
        from vita_model.nets.vita import count

        counted = count(config)
        asked = None if stage is None else _asked(stage, chosen)
        costs = {} if asked is None else _costs(config, asked, counted, chosen)
    trains = set(counted) if asked is None else set(asked.trains)
    parts = [
        {"part": part, "parameters": number, "trainable": part in trains}
        | ({"flops": costs["flops"].get(part)} if costs else {})
        for part, number in counted.items()
    ]
    answer = {"preset": name, "parts": parts, "total": sum(counted.values()), **costs}
    show(answer, as_json, "\n".join(_words(answer, asked)))


def _asked(stage: str, chosen: dict[str, Any]) -> Asked:
    from vita_data.manifest.find import load_mixture, load_stage
    from vita_data.manifest.stage import split_stage
    from vita_model.cost.stage import asked

    name, half = split_stage(stage)
    card = load_stage(name, load_mixture(chosen["mixture"], chosen["manifests"]).path, chosen["manifests"])
    if card.halves and not half:
        names = " or ".join(name + each for each in card.halves)
        raise UsageError(f"stage {stage} trains in halves; ask for {names}.")
    return asked(stage, chosen["mixture"], chosen["options"], chosen["manifests"])


def _costs(
    config: ModelConfig, asked: Asked, counted: dict[str, int], chosen: dict[str, Any]
) -> dict[str, Any]:
    from vita_model.cost.flops import codec_flops, flops
    from vita_model.cost.memory import activation_bytes, state_bytes

    found = flops(config, asked.trains, asked.terms, asked.shape) if asked.terms else codec_flops(config)
    sample = sum(each.total for each in found.values())
    seconds = (
        sample * asked.samples * asked.epochs / (chosen["gpus"] * chosen["tflops"] * 1e12 * chosen["share"])
    )
    length = config.geometry.max_length
    return {
        "stage": asked.stage,
        "samples": asked.samples,
        "shape": vars(asked.shape),
        "flops": {part: {"forward": each.forward, "backward": each.backward} for part, each in found.items()},
        "flops_per_sample": sample,
        "memory": {str(zero): state_bytes(counted, asked.trains, zero, chosen["gpus"]) for zero in range(4)},
        "activations": {
            "kept": activation_bytes(config, length, False),
            "checkpointed": activation_bytes(config, length, True),
        },
        "gpus": chosen["gpus"],
        "days": seconds / DAY,
        "cost": seconds / 3600 * chosen["gpus"] * chosen["price"],
    }


def _words(answer: dict[str, Any], asked: Asked | None) -> list[str]:
    lines = []
    for item in answer["parts"]:
        cost = item.get("flops")
        spent = f"{(cost['forward'] + cost['backward']) / GIGA:>14,.1f}" if cost else " " * 14
        lines.append(
            f"{item['part']:18}{item['parameters']:>14,}{spent if asked else ''}"
            f"{'  trains' if item['trainable'] else ''}".rstrip()
        )
    lines.append(f"{'total':18}{answer['total']:>14,}")
    if asked is None:
        return lines
    shape = asked.shape
    lines[-1] += f"{answer['flops_per_sample'] / GIGA:>14,.1f}"
    head = f"{'part':18}{'parameters':>14}{'GFLOP/sample':>14}"
    size = {zero: sum(held.values()) / 2**30 for zero, held in answer["memory"].items()}
    activations = {name: held / 2**30 for name, held in answer["activations"].items()}
    return [
        head,
        *lines,
        "",
        f"an average sample: {shape.text} tokens of text, {shape.tiles} tiles, {shape.heard:.1f} s heard, "
        f"{shape.said:.1f} s said; {asked.samples:,.0f} samples, {asked.epochs:g} epochs",
        f"memory of each of {answer['gpus']} GPUs: "
        + ", ".join(f"{held:,.1f} GiB at ZeRO {zero}" for zero, held in size.items()),
        f"and for one full sequence {activations['checkpointed']:,.1f} GiB with gradient checkpointing, "
        f"{activations['kept']:,.1f} without",
        f"{answer['days']:,.2f} days, {answer['cost']:,.0f} in money",
    ]
