"""The key map: what released VITA-1.5 weights call each of our tensors. Data only; `names` reads it.

A line is (our name, released name), both without the part's prefix. `{n}` and other single letters stand for a
number, `{rest}` for all that follows. Two numbers are counted: `{at}` is s * blocks + k, as the codec's lists of
residual blocks there have no stages; `{level}` numbers the adapter's a-th stage so that the last one is 2. Several
of ours under one released name are its pieces along the first axis, in the order of the lines.
"""

from __future__ import annotations

Lines = tuple[tuple[str, str], ...]

VISION: Lines = (
    ("vision_tower.embeddings.cls_token", "embeddings.class_embedding"),
    ("vision_tower.embeddings.position_embeddings", "embeddings.position_embedding"),
    ("vision_tower.embeddings.patch_embeddings.projection.{rest}", "embeddings.patch_embedding.{rest}"),
    ("vision_tower.encoder.layer.{n}.attention.q_proj.{rest}", "encoder.layers.{n}.attn.qkv.{rest}"),
    ("vision_tower.encoder.layer.{n}.attention.k_proj.{rest}", "encoder.layers.{n}.attn.qkv.{rest}"),
    ("vision_tower.encoder.layer.{n}.attention.v_proj.{rest}", "encoder.layers.{n}.attn.qkv.{rest}"),
    (
        "vision_tower.encoder.layer.{n}.attention.projection_layer.{rest}",
        "encoder.layers.{n}.attn.proj.{rest}",
    ),
    ("vision_tower.encoder.layer.{n}.mlp.{rest}", "encoder.layers.{n}.mlp.{rest}"),
    ("vision_tower.encoder.layer.{n}.layernorm_before.{rest}", "encoder.layers.{n}.norm1.{rest}"),
    ("vision_tower.encoder.layer.{n}.layernorm_after.{rest}", "encoder.layers.{n}.norm2.{rest}"),
    ("vision_tower.encoder.layer.{n}.lambda_1", "encoder.layers.{n}.ls1"),
    ("vision_tower.encoder.layer.{n}.lambda_2", "encoder.layers.{n}.ls2"),
)

PROJECTOR: Lines = (("{rest}", "{rest}"),)

LANGUAGE: Lines = (("model.{rest}", "model.{rest}"), ("lm_head.weight", "lm_head.weight"))

DECODER: Lines = (
    ("embedding.weight", "embedding.weight"),
    ("nar.layers.{rest}", "layers_pre_nn.{rest}"),
    ("ar.layers.{rest}", "layers.{rest}"),
    ("norm.weight", "norm.weight"),
    ("head.{rest}", "out_fnn.{rest}"),
)

CODEC: Lines = (
    ("encoder.first.{rest}", "encoder.conv_pre.{rest}"),
    ("encoder.stages.{s}.down.{rest}", "encoder.ups.{s}.{rest}"),
    ("encoder.stages.{s}.blocks.{k}.dilated.{rest}", "encoder.resblocks.{at}.convs1.{rest}"),
    ("encoder.stages.{s}.blocks.{k}.plain.{rest}", "encoder.resblocks.{at}.convs2.{rest}"),
    ("encoder.stages.{s}.norms.{k}.{rest}", "encoder.normalize.{at}.{rest}"),
    ("encoder.last.{rest}", "encoder.conv_post.{rest}"),
    ("encoder.voice.over_time.{rest}", "encoder.GlobalTokenEncoder.conv.{rest}"),
    ("encoder.voice.of_mean.{rest}", "encoder.GlobalTokenEncoder.fn.{rest}"),
    ("quantiser.frames.vectors", "quantizer.quantizer_modules.0.embedding.weight"),
    ("quantiser.voice.{n}.vectors", "quantizer.quantizer_modules_globaltokens.{n}.embedding.weight"),
    ("generator.first.{rest}", "generator.conv_pre.{rest}"),
    ("generator.stages.{s}.up.{rest}", "generator.ups.{s}.{rest}"),
    ("generator.stages.{s}.blocks.{k}.dilated.{rest}", "generator.resblocks.{at}.convs1.{rest}"),
    ("generator.stages.{s}.blocks.{k}.plain.{rest}", "generator.resblocks.{at}.convs2.{rest}"),
    ("generator.last.{rest}", "generator.conv_post.{rest}"),
)

ENCODER: Lines = (
    ("cmvn.{rest}", "encoder.global_cmvn.{rest}"),
    ("subsampling.first.{rest}", "encoder.enc.0.core.conv.0.{rest}"),
    ("subsampling.second.{rest}", "encoder.enc.0.core.conv.2.{rest}"),
    ("subsampling.out.{rest}", "encoder.enc.0.core.out.0.{rest}"),
    ("embedding.linear.{rest}", "encoder.enc.1.embed.0.{rest}"),
    ("embedding.norm.{rest}", "encoder.enc.1.embed.1.{rest}"),
    ("blocks.{n}.attention.query.{rest}", "encoder.enc.1.encoders.{n}.self_attn.linear_q.{rest}"),
    ("blocks.{n}.attention.key.{rest}", "encoder.enc.1.encoders.{n}.self_attn.linear_k.{rest}"),
    ("blocks.{n}.attention.value.{rest}", "encoder.enc.1.encoders.{n}.self_attn.linear_v.{rest}"),
    ("blocks.{n}.attention.out.{rest}", "encoder.enc.1.encoders.{n}.self_attn.linear_out.{rest}"),
    ("blocks.{n}.attention.place.{rest}", "encoder.enc.1.encoders.{n}.self_attn.linear_pos.{rest}"),
    ("blocks.{n}.attention.content_bias", "encoder.enc.1.encoders.{n}.self_attn.pos_bias_u"),
    ("blocks.{n}.attention.place_bias", "encoder.enc.1.encoders.{n}.self_attn.pos_bias_v"),
    ("blocks.{n}.attention_norm.{rest}", "encoder.enc.1.encoders.{n}.norm1.{rest}"),
    ("blocks.{n}.feed_forward_norm.{rest}", "encoder.enc.1.encoders.{n}.norm2.{rest}"),
    ("blocks.{n}.widen.{rest}", "encoder.enc.1.encoders.{n}.feed_forward.w_1.{rest}"),
    ("blocks.{n}.narrow.{rest}", "encoder.enc.1.encoders.{n}.feed_forward.w_2.{rest}"),
    ("norm.{rest}", "encoder.enc.1.after_norm.{rest}"),
)

ADAPTER: Lines = (
    ("stages.{a}.convolution.{rest}", "adpter.conv1d{level}.{rest}"),
    ("stages.{a}.norm.{rest}", "adpter.bn{level}.{rest}"),
    ("project.{rest}", "adpter.project.{rest}"),
)

PROMPTS: Lines = (("{rest}", "prompt_embeddings.{rest}"),)

PARTS: dict[str, Lines] = {
    "vision_tower": VISION,
    "projector": PROJECTOR,
    "language_model": LANGUAGE,
    "speech_encoder": ENCODER,
    "speech_adapter": ADAPTER,
    "prompt_embeddings": PROMPTS,
    "speech_decoder": DECODER,
    "codec": CODEC,
}

# What stands before a part's names in the safetensors of a whole model, which hold these parts and no others.
AUDIO = "model.audio_encoder."
PREFIXES: dict[str, str] = {
    "vision_tower": "model.vision_tower.vision_tower.",
    "projector": "model.mm_projector.",
    "language_model": "",
    "speech_encoder": AUDIO,
    "speech_adapter": AUDIO,
    "prompt_embeddings": AUDIO,
}

# How a part's names begin there, so that it can be left where nobody asked for it.
BEGINNINGS: dict[str, tuple[str, ...]] = {
    "vision_tower": ("model.vision_tower.",),
    "projector": ("model.mm_projector.",),
    "language_model": ("model.embed_tokens.", "model.layers.", "model.norm.", "lm_head."),
    "speech_encoder": (AUDIO + "encoder.",),
    "speech_adapter": (AUDIO + "adpter.",),
    "prompt_embeddings": (AUDIO + "prompt_embeddings.",),
}

# How the weight norm of torch.nn.utils, which the public code uses, names direction and length.
ENDINGS: Lines = (
    ("parametrizations.weight.original0", "weight_g"),
    ("parametrizations.weight.original1", "weight_v"),
)

# Ours that no release holds: what counts the use of codes in training.
OURS_ALONE: tuple[str, ...] = ("codec.quantiser.frames.idle", "codec.quantiser.voice.{n}.idle")

# Parts that a release may lack and keeps the model's values for.
OPTIONAL: tuple[str, ...] = ("prompt_embeddings",)

# Released tensors that the public code makes and does not use: the line is (name, which one has its shape). It
# insists on them when it loads, so an export holds them too. Without a second name they are left out.
UNUSED: dict[str, Lines] = {
    "codec": (
        ("encoder.linear.0.weight", "encoder.GlobalTokenEncoder.fn.0.weight"),
        ("encoder.linear.0.bias", "encoder.GlobalTokenEncoder.fn.0.bias"),
    ),
    "speech_decoder": (("layers_prefix.{rest}", ""),),
}

# A language model whose head is its embedding table has no head of its own in its files.
TIED = ("lm_head.weight", "model.embed_tokens.weight")
