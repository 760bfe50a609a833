"""Which codec it is: a digest over everything that the codes of an utterance depend on."""

from __future__ import annotations

import hashlib

import torch

from vita_model.nets.codec.codec import Codec

# Of the config, what the encoder's arithmetic depends on and no tensor's shape tells.
SAID = ("rate", "strides", "block_dilations", "global_stage")
HEARS = ("encoder.", "quantiser.")
COUNTERS = (".idle", ".num_batches_tracked")


def codec_digest(codec: Codec) -> str:
    """Sixteen hex digits that change with any weight by which a waveform becomes codes, and with nothing else.

    The generator has no say, so it can be trained further on the same codes; nor have counters of training, so a
    codec is itself again when it comes back from an exported folder.
    """
    hasher = hashlib.blake2b(digest_size=8)
    for name in SAID:
        hasher.update(f"{name} {getattr(codec.config, name)}\n".encode())
    for name, tensor in sorted(codec.state_dict().items()):
        if name.startswith(HEARS) and not name.endswith(COUNTERS):
            held = tensor.detach().to("cpu", torch.float32).contiguous()
            hasher.update(f"{name} {tuple(held.shape)}\n".encode())
            hasher.update(memoryview(held.numpy()).cast("B"))
    return hasher.hexdigest()
