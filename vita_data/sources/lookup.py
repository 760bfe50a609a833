"""A table from keys to texts that lies on local disk, for joins of files that memory may not hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from types import TracebackType

from vita_data.errors import RecordError

_CACHE_KIB = 32768


class Lookup:
    """Filled once, then asked; a key that came with two different texts stands for neither."""

    def __init__(self) -> None:
        # No name: SQLite makes a private file, spills to it as the table grows, and removes it at the end.
        self._database = sqlite3.connect("")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE texts (key BLOB PRIMARY KEY, text BLOB, twice INTEGER) WITHOUT ROWID"
        )

    def fill(self, rows: Iterable[tuple[str, str]]) -> None:
        """Adds keys with their texts."""
        self._database.executemany(
            "INSERT INTO texts VALUES (?, ?, 0) ON CONFLICT (key) DO UPDATE SET twice = twice OR text != excluded.text",
            ((_bytes(key), _bytes(text)) for key, text in rows),
        )

    def get(self, key: str, what: str) -> str | None:
        """The text of a key, or None; raises RecordError (ambiguous_id) when `what` names it in two ways."""
        row = self._database.execute("SELECT text, twice FROM texts WHERE key = ?", (_bytes(key),)).fetchone()
        if row is None:
            return None
        if row[1]:
            raise RecordError("ambiguous_id", f"{what} has {key!r} twice, with different words.", key)
        return bytes(row[0]).decode("utf-8", "surrogatepass")

    def __enter__(self) -> Lookup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
