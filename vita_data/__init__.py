"""Corpora in their publishers' formats in, stage-ratioed shards out: plain Python, without torch or Beam."""
