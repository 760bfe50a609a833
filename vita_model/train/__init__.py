"""The training of a stage: DeepSpeed engine, schedule, loop, checkpoints, held-out loss."""
