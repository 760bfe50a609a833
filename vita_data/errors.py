"""What can go wrong, as a person reads it: one sentence that says what, where and what to do."""

from __future__ import annotations


class VitaError(Exception):
    """Something the user can mend; the command prints it as one line and exits with `status`."""

    status = 1


class UsageError(VitaError):
    """The call itself is wrong: a flag, a name or a folder that does not fit."""

    status = 2


class ManifestError(UsageError):
    """A card does not say what a card must say; the message starts with file:line."""


class SourceError(VitaError):
    """A source cannot be read as a whole: its folder is not there, or its annotation file is cut."""


class RecordError(VitaError):
    """One record cannot be used; it becomes a reject with this rule, value, threshold and words."""

    def __init__(self, rule: str, message: str, value: object = None, threshold: object = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.value = None if value is None else str(value)
        self.threshold = None if threshold is None else str(threshold)


class QuotaError(VitaError):
    """A stage asks for more than its sources hold."""


class ShardError(VitaError):
    """A stage folder is incomplete, or its bytes are not what its index says."""
