"""The tables on disk stay as they are, or their version says that they changed."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from vita_data.records import schema

GOLDEN = Path(__file__).parents[1] / "golden" / "schemas.txt"
TABLES = ("CATALOG", "MEASURE", "SIGNALS", "DUPLICATES", "INDEX", "PACKS", "CODES", "REJECTS")


def described(name: str) -> str:
    """A table as text: its version, then a line for every column."""
    table: pa.Schema = getattr(schema, name)
    lines = [f"{name} version {getattr(schema, f'{name}_VERSION')}"]
    return "\n".join([*lines, *(f"  {field.name}: {field.type}" for field in table)])


def golden() -> dict[str, str]:
    blocks = GOLDEN.read_text(encoding="utf-8").strip().split("\n\n")
    return {block.split()[0]: block for block in blocks}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_columns_of_its_version(name: str) -> None:
    now, then = described(name), golden()[name]
    if now == then:
        return
    version = re.compile(r"version (\d+)")
    assert version.findall(now) != version.findall(then), f"{name} changed: raise {name}_VERSION\n{now}"
    pytest.fail(f"{name} has a new version: put this into {GOLDEN.name} in place of the old\n{now}")


def test_the_golden_file_names_every_table_that_is_written() -> None:
    assert set(golden()) == set(TABLES)
    versions = {name.removesuffix("_VERSION") for name in dir(schema) if name.endswith("_VERSION")}
    assert versions == {*TABLES, "RECORD"}


def test_what_travels_between_steps_is_made_of_columns_of_catalog_and_measures() -> None:
    for field in schema.SELECTED:
        known = [
            table.field(field.name) for table in (schema.CATALOG, schema.MEASURE) if field.name in table.names
        ]
        assert all(other.equals(field) for other in known)
        assert known or field.name == "source"
