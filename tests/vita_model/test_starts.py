"""What a stage starts from, by what checkpoints say of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from vita_data.errors import UsageError
from vita_model.train.starts import Start, check, lineage


@dataclass(frozen=True)
class Stage:
    """As much of a task as is looked at."""

    name: str
    stages_before: tuple[str, ...]
    trains: tuple[str, ...]


SPOKEN = Stage("3.2", ("2.2", "3.1"), ("speech_decoder",))
JOINT = Start(Path("joint"), {"stage": "2.2", "trained": {"language_model": "2.2", "projector": "2.2"}})
CODEC = Start(Path("codec"), {"stage": "3.1", "trained": {"codec": "3.1"}})
EARLY = Start(Path("early"), {"stage": "1.1", "trained": {"projector": "1.1"}})


def test_a_stage_that_needs_two_takes_one_of_each_in_any_order() -> None:
    for starts in ((JOINT, CODEC), (CODEC, JOINT)):
        check(starts, SPOKEN)
        assert lineage(starts, SPOKEN) == {
            "language_model": "2.2",
            "projector": "2.2",
            "codec": "3.1",
            "speech_decoder": "3.2",
        }


def test_the_checkpoint_that_is_of_another_stage_is_named_with_its_own_stage() -> None:
    with pytest.raises(UsageError, match=r"early was trained in stage 1\.1 and stage 3\.2 starts from"):
        check((JOINT, EARLY), SPOKEN)


def test_two_checkpoints_of_one_stage_are_refused() -> None:
    with pytest.raises(UsageError, match=r"2 checkpoints of stage 2\.2; name the one"):
        check((JOINT, JOINT, CODEC), SPOKEN)


def test_released_weights_stand_for_a_stage_that_is_not_there() -> None:
    check((JOINT, Start(Path("released"))), SPOKEN)
    with pytest.raises(UsageError, match=r"name the run that trained 3\.1"):
        check((JOINT,), SPOKEN)
