"""The folders that weights are published in, loaded into a model: a whole VITA-1.5, or one part by itself.

    FOLDER/model-*.safetensors, model.safetensors.index.json    all that reads and writes text, sees and hears
    FOLDER/<any name>/train.yaml, global_cmvn, final.pt         the audio encoder before the joint training
    FOLDER/vita_tts_ckpt/decoder/model.json, final.pt           the speech decoder
    FOLDER/vita_tts_ckpt/codec/model.json, final.pt             the codec

Where the safetensors hold an audio encoder it wins over final.pt, as it does in the public code: the adapter
went on learning after that file was written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from vita_data.errors import UsageError
from vita_model.nets.cmvn import read_moments
from vita_model.weights import keys
from vita_model.weights.load import Job, load
from vita_model.weights.names import Entry, Shape, entries
from vita_model.weights.stores import Pickled, Shards

CMVN = "global_cmvn"
FINAL = "final.pt"
SPEECH = {"speech_decoder": "vita_tts_ckpt/decoder", "codec": "vita_tts_ckpt/codec"}


def load_release(model: nn.Module, folder: Path, parts: Iterable[str] = ()) -> tuple[str, ...]:
    """Loads a VITA-1.5 folder into the parts named, all that a release can hold where none is; names left out.

    `model` has the parts as attributes under the names of stage cards. Heads of single stages are in no release and
    guiding embeddings in few: the model keeps its own. Raises UsageError that names every tensor that does not fit.
    """
    wanted = tuple(parts) or released_parts(model)
    shapes = shapes_of(model)
    main = Shards(folder)
    there = main.shapes()
    audio = audio_folder(folder)
    inside = [part for part in wanted if part in keys.PREFIXES and _inside(part, there, audio)]
    beside = [part for part in wanted if part in keys.PREFIXES and part not in inside]
    jobs = [Job(main, _entries(inside, shapes, keys.PREFIXES), others=_others(inside))]
    if audio is not None:
        jobs += _beside(audio, beside, shapes)
    for part in SPEECH:
        if part in wanted:
            unused = tuple(name for name, _ in keys.UNUSED[part])
            store = Pickled(folder / SPEECH[part] / FINAL)
            jobs.append(Job(store, tuple(entries(part, shapes)), unused))
    left = load(model, jobs)
    if "speech_encoder" in wanted:
        _sharpen(model, audio)
    return left


def load_part(model: nn.Module, part: str, folder: Path) -> tuple[str, ...]:
    """Loads one part from a folder of Hugging Face's layout that holds it alone; names left out.

    For the vision tower an InternViT-300M-448px folder, for the language model a Qwen2.5 one, with or without a
    head of its own. Raises UsageError that names every tensor that does not fit.
    """
    store = Shards(folder)
    head, table = keys.TIED
    there = store.shapes()
    copies = {head: table} if part == "language_model" and head not in there and _tied(folder) else {}
    return load(model, [Job(store, tuple(entries(part, shapes_of(model))), copies=copies)])


def released_parts(model: nn.Module) -> tuple[str, ...]:
    """The model's parts that a release can hold, in the order of the key map."""
    there = dict(model.named_children())
    return tuple(part for part in keys.PARTS if part in there)


def shapes_of(model: nn.Module) -> dict[str, Shape]:
    """Every tensor's shape by our name."""
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict(keep_vars=True).items()}


def audio_folder(folder: Path) -> Path | None:
    """The folder of the audio encoder inside a release, whatever it is called; None where there is none."""
    found = sorted(path.parent for path in folder.glob("*/train.yaml"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"{folder} holds several audio encoders: {names}; leave one.")
    return found[0] if found else None


def _entries(parts: Iterable[str], shapes: dict[str, Shape], prefixes: dict[str, str]) -> tuple[Entry, ...]:
    return tuple(entry for part in parts for entry in entries(part, shapes, prefixes[part]))


def _others(inside: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        beginning
        for part, beginnings in keys.BEGINNINGS.items()
        if part not in inside
        for beginning in beginnings
    )


def _inside(part: str, there: Iterable[str], audio: Path | None) -> bool:
    """Whether the safetensors have to hold a part: they are the only place, or they hold some of it."""
    elsewhere = part in keys.OPTIONAL or (keys.PREFIXES[part] == keys.AUDIO and audio is not None)
    return not elsewhere or any(name.startswith(keys.BEGINNINGS[part]) for name in there)


def _beside(audio: Path, parts: list[str], shapes: dict[str, Shape]) -> list[Job]:
    """Audio parts from their own folder; optional ones that are not there stay as they are."""
    if not parts:
        return []
    store = Pickled(audio / FINAL)
    there = store.shapes()
    plain = {
        part: tuple(name.removeprefix(keys.AUDIO) for name in keys.BEGINNINGS[part])
        for part, prefix in keys.PREFIXES.items()
        if prefix == keys.AUDIO
    }
    found = [
        part
        for part in parts
        if part not in keys.OPTIONAL or any(name.startswith(plain[part]) for name in there)
    ]
    others = tuple(name for part, names in plain.items() if part not in found for name in names)
    return [Job(store, _entries(found, shapes, dict.fromkeys(found, "")), others=others)] if found else []


@torch.no_grad()
def _sharpen(model: nn.Module, audio: Path | None) -> None:
    """CMVN in full precision from the text beside the weights, where theirs is the same rounded to 16 bits."""
    if audio is None or not (audio / CMVN).exists():
        return
    cmvn = model.get_submodule("speech_encoder.cmvn")
    mean, istd = cmvn.get_buffer("mean"), cmvn.get_buffer("istd")
    moments = read_moments((audio / CMVN).read_text(), str(audio / CMVN), len(mean))
    exact = moments.mean.float(), moments.istd.float()
    for precision in (torch.bfloat16, torch.float16):
        if all(
            torch.equal(value.to(precision).float(), held.float())
            for value, held in zip(exact, (mean, istd), strict=True)
        ):
            mean.copy_(exact[0])
            istd.copy_(exact[1])
            return


def _tied(folder: Path) -> bool:
    path = folder / "config.json"
    return path.exists() and bool(json.loads(path.read_text()).get("tie_word_embeddings"))
