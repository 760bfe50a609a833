"""From catalog to stage: who is held out, who is drawn, which shard they go to."""
