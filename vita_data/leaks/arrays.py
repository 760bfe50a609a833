"""Indexes on disk: a folder with a NumPy file for each array, mapped into memory when read, and a list of them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from vita_data import files
from vita_data.errors import VitaError

LIST = "index.json"  # written last
ADVICE = "remove the folder and build the index again"


def save(folder: str, kind: str, versions: list[int], arrays: dict[str, Any]) -> None:
    """Writes the arrays of an index to a folder; equal arrays give equal bytes."""
    files.remove(files.join(folder, LIST))
    for name, array in arrays.items():
        with files.atomic_write(files.join(folder, f"{name}.npy")) as stream:
            np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    shapes = {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}
    files.write_json(files.join(folder, LIST), {"kind": kind, "versions": versions, "arrays": shapes})


def load(folder: str, kind: str, versions: list[int]) -> dict[str, Any]:
    """The arrays of an index, read-only; those of a local one stay on disk until they are looked at.

    Raises VitaError for a folder without an index, for one of another kind or version, and for damaged ones.
    """
    path = files.join(folder, LIST)
    if not files.exists(path):
        raise VitaError(f"{folder} holds no whole index of {kind}; {ADVICE}.")
    said = files.read_json(path)
    if not isinstance(said, dict) or said.get("kind") != kind or said.get("versions") != versions:
        raise VitaError(f"{folder} holds an index that this version does not read as {kind}; {ADVICE}.")
    arrays = {name: _read(files.join(folder, f"{name}.npy")) for name in said["arrays"]}
    for name, array in arrays.items():
        if [array.dtype.str, *array.shape] != said["arrays"][name]:
            raise VitaError(f"{folder} is damaged: {name}.npy is not the array that was written; {ADVICE}.")
    return arrays


def _read(path: str) -> Any:
    try:
        if files.is_url(path):
            return np.load(io.BytesIO(files.read_bytes(path)), allow_pickle=False)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        return array.view(np.ndarray)  # whose operations are faster than those of a memmap
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, ValueError) and "empty file" in str(error):
            return np.load(path, allow_pickle=False)
        raise VitaError(f"{path} cannot be read ({error}); {ADVICE}.") from error
