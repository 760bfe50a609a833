"""Source, stage and mixture cards: YAML files checked strictly and turned into dataclasses."""
