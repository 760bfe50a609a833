"""The memory of a build does not follow the number of records."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import ENVIRONMENT, record, write_mixture, write_source

FEW, MANY = 10_000, 60_000
MOST_TIMES = 1.15

# With small buckets a few records fill as many of them as a corpus does.
BUILD_AND_TELL = """
import sys
from tests.factories import run_build
from vita_data.catalog import task
from vita_data.select import rows

def peak():  # getrusage would tell the peak of the process that started this one, where that is higher
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

task.BUCKET_BYTES, rows.ROWS_PER_BUCKET = 1 << 20, 1000
facts = run_build(sys.argv[1], sys.argv[2])
print(facts["totals"]["samples"], peak())
"""


def peak(home: Path, records: int) -> int:
    """Kilobytes that one process with every step in it held at most while it built so many text records."""
    words = [f"word{n}" for n in range(2000)]
    chance = random.Random(3)
    told = [record(n, f"Tell {n}.", " ".join(chance.choices(words, k=40))) for n in range(records)]
    write_source(home, "text", told, scenario="Pure Text")
    mixture = write_mixture(home, {"text": "all"})
    call = [sys.executable, "-c", BUILD_AND_TELL, str(mixture), str(home / "out")]
    done = subprocess.run(call, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    samples, kilobytes = json.loads(f"[{done.stdout.strip().replace(' ', ',')}]")
    assert samples > 0.9 * records
    return int(kilobytes)


@pytest.mark.slow
def test_six_times_the_records_take_hardly_more_memory(tmp_path: Path) -> None:
    assert peak(tmp_path / "many", MANY) <= MOST_TIMES * peak(tmp_path / "few", FEW)
