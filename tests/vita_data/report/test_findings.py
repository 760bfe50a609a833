from __future__ import annotations

import pyarrow as pa
import pytest

from vita_data import files
from vita_data.records.key import sample_key
from vita_data.report.findings import Line, findings_of
from vita_data.report.traces import SourceTraces, Traces
from vita_data.verdicts.finding import FOUND
from vita_data.verdicts.leaks import found_name


def finding(source: str, number: int, how: str, removes: bool, benchmark: str = "quiz") -> dict[str, object]:
    key = sample_key(source, "data.json", str(number), 0)
    facts = {
        "theirs": f"{benchmark}-1",
        "ours": "How many boats",
        "question": "How many boats?",
        "score": 1.0,
    }
    return {"key": key, "benchmark": benchmark, "how": how, "removes": removes, **facts}


@pytest.fixture
def traces(tmp_path):
    """Two sources: one in two parts, the second without a finding; some findings remove a sample."""
    parts = {
        "birds": [
            [finding("birds", n, "question", False) for n in range(20)]
            + [finding("birds", n, "content", True) for n in range(3)]
            + [finding("birds", 0, "picture", True)],
            [finding("birds", n, "question", False) for n in range(20, 40)]
            + [finding("birds", 99, "content", True), finding("birds", 99, "question", True, "riddles")],
        ],
        "maps": [[]],
    }
    for source, tables in parts.items():
        for part, rows in enumerate(tables):
            path = str(tmp_path / source / found_name(part))
            files.write_table(path, pa.Table.from_pylist(rows, FOUND))
    sources = {
        name: SourceTraces(None, parts=list(range(len(tables))), leaks=str(tmp_path / name))
        for name, tables in parts.items()
    }
    return Traces(str(tmp_path), sources)


def test_findings_are_counted_by_benchmark_and_kind_over_all_parts(traces):
    found = findings_of(traces, 2)
    assert found.lines == [
        Line("quiz", "content", 4, 0),
        Line("quiz", "picture", 1, 0),
        Line("quiz", "question", 0, 40),
        Line("riddles", "question", 1, 0),
    ]


def test_the_examples_are_those_of_the_smallest_hashes_of_each_kind(traces):
    examples = findings_of(traces, 2).examples
    assert [(row["benchmark"], row["how"]) for row in examples] == [
        ("quiz", "content"),
        ("quiz", "content"),
        ("quiz", "picture"),
        ("quiz", "question"),
        ("quiz", "question"),
        ("riddles", "question"),
    ]
    keys = sorted(finding("birds", n, "question", False)["key"] for n in range(40))
    assert [row["key"] for row in examples if row["how"] == "question"][:2] == keys[:2]
