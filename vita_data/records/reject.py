"""A reject: why a record or a sample did not go on, in measured terms."""

from __future__ import annotations

from dataclasses import dataclass

from vita_data.errors import RecordError


@dataclass(frozen=True)
class Reject:
    """The rule that was broken, what was measured, the threshold, and the same in words."""

    rule: str
    message: str
    value: str | None = None
    threshold: str | None = None

    @classmethod
    def of(cls, error: RecordError) -> Reject:
        """The reject that an error stands for."""
        return cls(error.rule, str(error), error.value, error.threshold)
