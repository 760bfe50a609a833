"""Donut's ground truth: pages with what they say as JSON inside a text, in metadata.jsonl or in parquet.

Format: https://github.com/clovaai/donut (`<split>/metadata.jsonl` beside its pictures: file_name, and
ground_truth, a string that holds {"gt_parse": {"text_sequence": ...}}); the SynthDoG corpora are parquet of
the same. `gt_parses`, a list of questions with answers, is read as turns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources import jsonfiles, split_names, turns
from vita_data.sources.base import Fault, Medium, Native, Slice, Split, no_prompts
from vita_data.sources.hf_parquet import embedded, read_parquet, split_parquet
from vita_data.sources.ocr_json import PROMPTS


@dataclass(frozen=True)
class DonutOptions:
    """Options of `adapter: donut`; pictures lie beside metadata.jsonl unless `media_root` names a folder."""

    format: Literal["auto", "jsonl", "parquet"] = "auto"
    truth_key: str = "ground_truth"
    gt_path: str = "gt_parse.text_sequence"
    file_key: str = "file_name"
    image_column: str = "image"
    media_root: str | None = None
    prompts: tuple[str, ...] = PROMPTS

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        return no_prompts(self.prompts)


class Donut:
    """Reads pages with their ground truth as questions for their text."""

    def __init__(self, options: DonutOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Slices lines at their ends and parquet at its row groups."""
        path = files.join(root, annotation)
        if self._parquet(annotation):
            return split_parquet(path, annotation, self._columns())
        return jsonfiles.split_lines(path, annotation)

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a page."""
        parquet, columns = self._parquet(part.annotation), self._columns()
        for position, row in read_parquet(part, columns, columns) if parquet else jsonfiles.read_lines(part):
            native_id = None
            try:
                if isinstance(row, RecordError):
                    raise row
                if not isinstance(row, dict):
                    raise RecordError("not_a_record", f"the row is {json.dumps(row)[:60]}, not an object.")
                media = self._page(row, position, part.annotation, parquet)
                if not parquet:
                    native_id = json.dumps(row[self._options.file_key], ensure_ascii=False)
                said = self._turns(row, part.annotation, native_id or str(position))
                said = turns.with_placeholders(said, media)
                yield Native(position, native_id, said, media, split=split_names.split_of(part.annotation))
            except RecordError as error:
                yield Fault(position, error, native_id)
            except RecursionError:
                yield Fault(position, RecordError("not_json", jsonfiles.TOO_DEEP))

    def _parquet(self, annotation: str) -> bool:
        form = self._options.format
        return form == "parquet" or (form == "auto" and annotation.endswith(".parquet"))

    def _columns(self) -> list[str]:
        return [self._options.image_column, self._options.truth_key]

    def _page(self, row: dict[str, Any], position: int, annotation: str, parquet: bool) -> list[Medium]:
        options = self._options
        if parquet:
            pages = embedded("image", row.get(options.image_column), position, options.media_root or ".")
            if len(pages) != 1:
                raise RecordError("not_a_record", f"the row holds {len(pages)} pages instead of one.")
            return pages
        beside = annotation.rpartition("/")[0] or "."
        folder = beside if options.media_root is None else options.media_root
        return [turns.medium("image", row.get(options.file_key), folder)]

    def _turns(self, row: dict[str, Any], annotation: str, name: str) -> turns.Turns:
        options = self._options
        truth = _at(row.get(options.truth_key), options.gt_path)
        if isinstance(truth, list) and all(isinstance(each, dict) for each in truth) and truth:
            first: dict[str, Any] = {}
            for each in truth:  # the same question comes once for every answer that is right
                first.setdefault(turns.spoken(each.get("question")), each.get("answer"))
            pairs = [{"q": question, "a": answer} for question, answer in first.items()]
            return turns.native_turns({"QA": pairs}, "QA", "QA", {})
        if not isinstance(truth, str):
            words = f"the ground truth has no text at {options.gt_path}."
            raise RecordError("not_a_record", words, str(truth)[:80])
        asked = turns.prompt_for(options.prompts, "ocr-prompt", annotation, name)
        return [{"from": "human", "value": asked}, {"from": "gpt", "value": truth}]


def _at(truth: Any, path: str) -> Any:
    """What lies at a path of keys; the ground truth, and what lies in it, may be JSON inside a text once more."""
    for key in path.split("."):
        for _ in range(2):
            truth = turns.decoded(truth)
        if not isinstance(truth, dict) or key not in truth:
            raise RecordError("not_a_record", f"the ground truth has no {path}.", str(truth)[:80])
        truth = truth[key]
    return truth
