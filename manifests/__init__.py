"""Source, stage and mixture cards as they ship: data only; ROOT is the folder they lie in."""

from pathlib import Path

ROOT = Path(__file__).parent
