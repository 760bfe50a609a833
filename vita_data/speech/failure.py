"""What it costs when an engine cannot speak one text: a reason in few words, the same for every engine."""

from __future__ import annotations

import signal

from vita_data.errors import RecordError

SECONDS = 600  # that one question may take an engine
LONGEST_REASON = 200


def failed(words: str) -> RecordError:
    """The engine said that it cannot, in these words."""
    reason = " ".join(words.split())[:LONGEST_REASON]
    return RecordError("engine_failed", f"The engine could not speak it ({reason}).", reason)


def crashed(status: int) -> RecordError:
    """The engine's process ended at the text, with this exit status: below 0 it is the signal that ended it."""
    how = how_it_ended(status)
    return RecordError("engine_crashed", f"The engine's process ended while it spoke it ({how}).", how)


def timed_out(seconds: float) -> RecordError:
    """The engine took longer than one question may."""
    words = f"The engine had not spoken it after {seconds:g} seconds and was ended."
    return RecordError("engine_timed_out", words, None, seconds)


def how_it_ended(status: int) -> str:
    """An exit status as people say it."""
    if status >= 0:
        return f"exit status {status}"
    known = {member.value: member.name for member in signal.Signals}
    return known.get(-status, f"signal {-status}")
