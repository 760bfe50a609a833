"""OCR annotations: pictures with their text instances, as an object, a list, JSON Lines or PPOCRLabel's lines.

Formats: https://rrc.cvc.uab.es/?ch=16 (LSVT, an object; "###" is illegible), AnyWord-3M
(https://github.com/tyxsspa/AnyText) and MMOCR (a list under `data_list`), WildReceipt (JSON Lines), and
PPOCRLabel (`path<TAB>instances`). The answer is the legible text in reading order: top to bottom, then
left to right. A polygon may be a list of points or of plain numbers, a box of two corners too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources import delimited, jsonfiles, split_names
from vita_data.sources.base import Fault, Native, Slice, Split, no_prompts
from vita_data.sources.turns import decoded, medium, prompt_for

PROMPTS = (
    "Read all the text in this picture.",
    "What is written in this picture?",
    "Transcribe the text you see.",
)
TABBED = delimited.Form("\t", quoted=False, columns=("id", "value"))


@dataclass(frozen=True)
class OcrOptions:
    """Options of `adapter: ocr_json`; the defaults read LSVT's full labels."""

    layout: Literal["keyed", "list", "lines", "tabbed"] = "keyed"
    items_path: str = ""
    image_suffix: str = ".jpg"
    image_key: str = "img_name"
    instances_key: str = "annotations"
    text_key: str = "transcription"
    polygon_key: str = "points"
    skip_text: tuple[str, ...] = ("###", "")
    skip_if: dict[str, bool] = field(default_factory=dict)
    media_root: str = "."
    prompts: tuple[str, ...] = PROMPTS
    join: str = "\n"
    order: Literal["reading", "file"] = "reading"
    on_cut: Literal["error", "keep"] = "error"

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        return no_prompts(self.prompts)


class OcrJson:
    """Reads OCR labels as questions for the text of a picture."""

    def __init__(self, options: OcrOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Copies the entries as lines, in bounded memory."""
        options = self._options
        path = files.join(root, annotation)
        if options.layout == "tabbed":
            return delimited.split_rows(path, annotation, TABBED)
        if options.layout == "lines":
            return jsonfiles.split_lines(path, annotation)
        keyed, keep = options.layout == "keyed", options.on_cut == "keep"
        items = options.items_path or ("" if keyed else "data_list")
        return jsonfiles.split_document(path, annotation, scratch, items, keyed, keep)

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a picture."""
        tabbed = self._options.layout == "tabbed"
        for position, value in delimited.read_rows(part, TABBED) if tabbed else jsonfiles.read_lines(part):
            if isinstance(value, RecordError):
                yield Fault(position, value)
                continue
            native_id = None
            try:
                name, instances = self._entry(value)
                native_id = json.dumps(name, ensure_ascii=False)
                yield self._record(position, part.annotation, native_id, name, instances)
            except RecordError as error:
                yield Fault(position, error, native_id)
            except RecursionError:
                yield Fault(position, RecordError("not_json", jsonfiles.TOO_DEEP))

    def _entry(self, value: Any) -> tuple[str, list[dict[str, Any]]]:
        options = self._options
        own = options.layout in ("keyed", "tabbed")
        try:
            name = value["id"] if own else value[options.image_key]
            instances = decoded(value["value"] if own else value[options.instances_key])
        except (KeyError, TypeError) as error:
            raise RecordError("not_a_record", f"the entry lacks {error}.") from error
        if not isinstance(name, str) or not isinstance(instances, list):
            raise RecordError(
                "not_a_record", "the entry is not a picture's name with a list of text instances."
            )
        return name, instances

    def _record(
        self, position: int, annotation: str, native_id: str, name: str, instances: list[dict[str, Any]]
    ) -> Native:
        options = self._options
        file = name + options.image_suffix if options.layout == "keyed" else name
        picture = medium("image", file, options.media_root)
        asked = prompt_for(options.prompts, "ocr-prompt", annotation, native_id)
        question = {"from": "human", "value": f"<image>\n{asked}"}
        answer = {"from": "gpt", "value": options.join.join(self._texts(instances))}
        split = split_names.split_of(annotation)
        return Native(position, native_id, [question, answer], [picture], split=split)

    def _texts(self, instances: list[dict[str, Any]]) -> list[str]:
        options = self._options
        legible = []
        for number, instance in enumerate(instances):
            text = instance.get(options.text_key) if isinstance(instance, dict) else None
            if not isinstance(text, str):
                raise RecordError(
                    "not_a_record", f"text instance {number} has no text under '{options.text_key}'."
                )
            skipped = any(instance.get(name) is value for name, value in options.skip_if.items())
            if text.strip() not in options.skip_text and not skipped:
                legible.append((_corner(instance.get(options.polygon_key)), number, text))
        if options.order == "reading":
            legible = _reading_order(legible)
        return [text for _, _, text in legible]


def _corner(polygon: Any) -> tuple[float, float, float] | None:
    """Top, bottom and left of a polygon; None where there is none."""
    try:
        if isinstance(polygon, list) and len(polygon) > 3 and not isinstance(polygon[0], list):
            polygon = list(zip(polygon[::2], polygon[1::2], strict=True))
        xs, ys = [float(p[0]) for p in polygon], [float(p[1]) for p in polygon]
        corner = min(ys), max(ys), min(xs)
    except (TypeError, ValueError, LookupError, OverflowError):
        return None
    return corner if all(map(math.isfinite, (*xs, *ys))) else None


Instance = tuple[tuple[float, float, float] | None, int, str]


def _reading_order(instances: list[Instance]) -> list[Instance]:
    """Lines from top to bottom, words of a line from left to right; what has no place keeps its own, at the end."""
    placed = sorted((i for i in instances if i[0] is not None), key=lambda i: (i[0][0], i[0][2], i[1]))  # type: ignore[index]
    lines: list[list[Instance]] = []
    for instance in placed:
        top, bottom, _ = instance[0]  # type: ignore[misc]
        if lines:
            first_top, first_bottom, _ = lines[-1][0][0]  # type: ignore[misc]
            if (top + bottom) / 2 < first_bottom and top < (first_top + first_bottom) / 2:
                lines[-1].append(instance)
                continue
        lines.append([instance])
    ordered = [i for line in lines for i in sorted(line, key=lambda i: (i[0][2], i[1]))]  # type: ignore[index]
    return ordered + [i for i in instances if i[0] is None]
