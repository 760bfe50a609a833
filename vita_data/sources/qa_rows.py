"""Flat rows, a question and its answer in fields: JSON lists, objects and lines, and delimited.

Formats: https://github.com/lupantech/ScienceQA (an object of problems, the answer a number that points into the
choices), https://github.com/vis-nlp/ChartQA, and the many corpora of captions and questions like them.
Questions, answers and names of media are columns, or templates with the names of columns in braces.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources import delimited, jsonfiles, split_names, turns
from vita_data.sources.base import Fault, Medium, Native, Slice, Split
from vita_data.sources.turns import PLACEHOLDERS, Turns, spoken

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIELD = re.compile(r"\{([^{}:\n]+)(?::0?([0-9]{1,2}))?\}")
_ITEM = re.compile(
    r"""\s*(?:'([^'\\]*(?:\\.[^'\\]*)*)'|"([^"\\]*(?:\\.[^"\\]*)*)"|([^,'"\[\]\s][^,\[\]]*))\s*(?:,|$)""",
    re.DOTALL,
)


@dataclass(frozen=True)
class AskOptions:
    """How a question and its answer are made of a row's fields; adapters of rows share these options.

    `prompts` are asked instead of a question (captions). `context` goes before the first question. `choices`
    is a column with a list; templates then know {choices}, and {letter} and {choice} of the answer, which is
    the text of a choice, its index from 0, or its letter. A line of a template is left out where every field
    in it is empty. `split_filter` names the values that a column must have.
    """

    prompts: tuple[str, ...] = ()
    context: str = ""
    choices: str | None = None
    choice_form: str = "{letter}. {choice}"
    letters: str = LETTERS
    answer_is: Literal["text", "index", "letter"] = "text"
    answer_form: str | None = None
    tokens: dict[str, str] = field(default_factory=dict)
    split_filter: dict[str, tuple[str, ...]] = field(default_factory=dict)
    media_root: str = "."

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if self.answer_is != "text" and self.choices is None:
            return (
                "answer_is",
                f"answer_is {self.answer_is} points into choices; add `choices:` with their column",
            )
        return turns.wrong_tokens(self.tokens)


@dataclass(frozen=True)
class QaRowsOptions(AskOptions):
    """Options of `adapter: qa_rows`; the defaults read rows of question, answer and image.

    `format` follows from the file's extension when it is `auto`; an object's names are ids. Tables have a
    header unless `columns` names their columns; `quotes: literal` is for files whose quotes are text, and gives
    the last column the rest of the line; `pattern` is for lines without a delimiter: its named groups are the
    columns. `messages` is a column with the turns before the answer. Media are in the columns image, video and
    audio where there are such; a column that the card names must be there, though it may be empty. They lie below
    `media_root`, or where `media_roots` says for the annotation of that name (without folder and extension).
    """

    format: Literal["auto", "array", "object", "jsonl", "table"] = "auto"
    items_path: str = ""
    id_key: str = "id"
    question: str = "question"
    answer: str = "answer"
    messages: str | None = None
    image: str | None = None
    video: str | None = None
    audio: str | None = None
    delimiter: str | None = None
    quotes: Literal["rfc4180", "literal"] = "rfc4180"
    columns: tuple[str, ...] = ()
    pattern: str | None = None
    media_roots: dict[str, str] = field(default_factory=dict)
    on_cut: Literal["error", "keep"] = "error"

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if self.delimiter is not None and (not self.delimiter or set(self.delimiter) & set('"\r\n')):
            return (
                "delimiter",
                "the delimiter is empty, a quote or a line end; write what stands between two fields",
            )
        try:
            if self.pattern is not None and not re.compile(self.pattern).groupindex:
                return "pattern", "the pattern has no named groups; write (?P<name>...) around each column"
        except re.error as error:
            return "pattern", f"the pattern is no regular expression ({error}); mend it"
        return super().complaint()


class QaRows:
    """Reads flat rows as questions with answers."""

    def __init__(self, options: QaRowsOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Slices a file at rows; JSON lists and objects are copied as lines, in bounded memory."""
        options, path = self._options, files.join(root, annotation)
        form = self._format(annotation)
        if form == "jsonl":
            return jsonfiles.split_lines(path, annotation)
        if form == "table":
            return delimited.split_rows(path, annotation, self._table(annotation))
        keep, keyed = options.on_cut == "keep", form == "object"
        return jsonfiles.split_document(path, annotation, scratch, options.items_path, keyed, keep)

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a row."""
        form = self._format(part.annotation)
        table = form == "table"
        rows = (
            delimited.read_rows(part, self._table(part.annotation)) if table else jsonfiles.read_lines(part)
        )
        for position, row in rows:
            native_id = None
            try:
                if isinstance(row, RecordError):
                    raise row
                row = _entry(row) if form == "object" else row
                if not isinstance(row, dict):
                    raise RecordError("not_a_record", f"the row is {json.dumps(row)[:60]}, not an object.")
                if not turns.nothing(row.get(self._options.id_key)):
                    native_id = json.dumps(row[self._options.id_key], sort_keys=True, ensure_ascii=False)
                yield self._record(position, native_id, part.annotation, row)
            except RecordError as error:
                yield Fault(position, error, native_id)
            except RecursionError:
                yield Fault(position, RecordError("not_json", jsonfiles.TOO_DEEP))

    def _format(self, annotation: str) -> str:
        if self._options.format != "auto":
            return self._options.format
        kinds = {"jsonl": "jsonl", "ndjson": "jsonl", "csv": "table", "tsv": "table", "txt": "table"}
        return "table" if self._options.pattern else kinds.get(annotation.rpartition(".")[2].lower(), "array")

    def _table(self, annotation: str) -> delimited.Form:
        options = self._options
        delimiter = options.delimiter or ("," if annotation.lower().endswith(".csv") else "\t")
        pattern = options.pattern
        columns = tuple(re.compile(pattern).groupindex) if pattern else tuple(options.columns)
        return delimited.Form(delimiter, options.quotes == "rfc4180", columns, pattern)

    def _record(self, position: int, native_id: str | None, annotation: str, row: dict[str, Any]) -> Native:
        options = self._options
        check_split(options, row)
        media = [each for kind in PLACEHOLDERS for each in self._media(kind, row, annotation)]
        if options.messages is None:
            said = ask(options, options.question, options.answer, row, annotation, native_id or str(position))
        else:
            said = self._continued(options.messages, row)
        said, media = turns.with_tokens(said, media, options.tokens)
        said = turns.with_placeholders(said, media)
        media = turns.in_order(said, turns.with_clip(media, row.get("start"), row.get("end")))
        return Native(position, native_id, said, media, split=split_of_row(options, row, annotation))

    def _media(self, kind: Any, row: dict[str, Any], annotation: str) -> list[Medium]:
        named: str | None = getattr(self._options, kind)
        wanted = columns_of(as_template(named or ""))
        absent = next((name for name in wanted if not has(row, name)), None)
        if absent is not None:
            raise RecordError("not_a_record", f"the row has no '{absent}' but {_names(row)}.", absent)
        if named is None or "{" not in named:
            names = lookup(row, named or kind)
        else:
            names = None if any(turns.nothing(lookup(row, name)) for name in wanted) else fill(named, row)
        names = names if isinstance(names, list) else [] if turns.nothing(names) else [names]
        stem = posixpath.splitext(posixpath.basename(annotation))[0]
        folder = self._options.media_roots.get(stem, self._options.media_root)
        return [turns.medium(kind, name, folder) for name in names]

    def _continued(self, where: str, row: dict[str, Any]) -> Turns:
        """A conversation whose last question is answered in a column of its own."""
        said = turns.native_turns(row, "messages", where, {})
        if said and said[-1]["from"] in ("user", "human"):
            said.append({"from": "assistant", "value": fill(as_template(self._options.answer), row)})
        context = fill(self._options.context, row)
        return turns.before(said, f"{context}\n") if context else said


def _entry(value: Any) -> Any:
    """A row of an object: its name is its id, unless it has one of its own."""
    row = value.get("value") if isinstance(value, dict) else None
    return {"id": value["id"], **row} if isinstance(row, dict) else row


def ask(
    options: AskOptions, question: str, answer: str, row: dict[str, Any], annotation: str, name: str
) -> Turns:
    """A question with its answer from a row; raises RecordError where the row has not what they are made of."""
    choices = choice_list(row.get(options.choices)) if options.choices else []
    letters = options.letters[: len(choices)]
    if len(letters) < len(choices):
        raise RecordError("not_a_record", f"{len(choices)} choices have no letters beyond {letters}.")
    lines = [
        fill(options.choice_form, {"letter": letter, "choice": text})
        for letter, text in zip(letters, choices, strict=True)
    ]
    fields = {**row, "choices": "\n".join(lines)} if options.choices else row
    asked = (
        turns.prompt_for(options.prompts, "caption-prompt", annotation, name)
        if options.prompts
        else fill(as_template(question), fields, needed=True)
    )
    context = fill(options.context, fields)
    said = _answer(options, fill(as_template(answer), row, needed=True), choices, fields)
    asked = "\n".join(part for part in (context, asked) if part)
    return [{"from": "human", "value": asked}, {"from": "gpt", "value": said}]


def _answer(options: AskOptions, text: str, choices: list[str], fields: dict[str, Any]) -> str:
    """The answer in the form that the card wants, from the text, index or letter that the row has."""
    found = -1
    if options.answer_is == "index":
        found = int(text) if re.fullmatch("[0-9]{1,4}", text) else -1
    elif options.answer_is == "letter":
        letter = text.strip(" ().")
        found = options.letters.find(letter) if len(letter) == 1 else -1
    elif text in choices:
        found = choices.index(text)
    pointed = 0 <= found < len(choices)
    if options.answer_is != "text" and not pointed and (choices or options.answer_is == "index") and text:
        words = f"the answer {text[:40]!r} points to none of {len(choices)} choices."
        raise RecordError("not_a_record", words, text[:40], len(choices))
    form = options.answer_form or (
        "{letter}. {choice}" if pointed and options.answer_is != "text" else "{answer}"
    )
    chosen = {"letter": options.letters[found], "choice": choices[found]} if pointed else {}
    return fill(form, {**fields, "answer": text, "letter": "", "choice": "", **chosen})


def check_split(options: AskOptions, row: Mapping[str, Any]) -> None:
    """Raises RecordError: other_split for a row that the card does not want, not_a_record where it does not say."""
    for name, wanted in options.split_filter.items():
        if name not in row:
            raise RecordError("not_a_record", f"the row has no '{name}', which says of what split it is.")
        if spoken(row[name]) not in wanted:
            raise RecordError(
                "other_split", f"its {name} is not among {', '.join(wanted)}.", spoken(row[name])
            )


def split_of_row(options: AskOptions, row: Mapping[str, Any], annotation: str) -> str | None:
    """The split that a row says in its column `split`, or in the one that the card filters by; else its file's."""
    filtered = [name for name in options.split_filter if re.search("split|subset", name, re.IGNORECASE)]
    said = (row.get(name) for name in ("split", *filtered))
    return split_names.split_of(annotation, next((name for name in said if isinstance(name, str)), None))


def choice_list(value: Any) -> list[str]:
    """The texts of a list of choices, written as a list, as JSON, or as Python prints one."""
    if isinstance(value, dict):
        value = value.get("text")
    if not isinstance(value, str):
        return [spoken(each) for each in value] if isinstance(value, list) else []
    inner = value.strip()
    if not inner:
        return []
    if not (inner.startswith("[") and inner.endswith("]")):
        raise RecordError("not_a_record", "the choices are not a list.", value[:80])
    inner, texts, at = inner[1:-1].strip(), [], 0
    while at < len(inner):
        item = _ITEM.match(inner, at)
        if item is None:
            raise RecordError("not_a_record", "the choices are not a list of texts.", value[:80])
        text = next(group for group in item.groups() if group is not None)
        texts.append(
            re.sub(r"\\(.)", lambda c: {"n": "\n", "t": "\t"}.get(c[1], c[1]), text, flags=re.DOTALL).strip()
        )
        at = item.end()
    return texts


def as_template(column_or_template: str) -> str:
    """A template as it is; the name of a column as the template of that column alone."""
    named = column_or_template and "{" not in column_or_template
    return f"{{{column_or_template}}}" if named else column_or_template


def columns_of(template: str) -> list[str]:
    """The names in braces of a template."""
    return [found[1] for found in _FIELD.finditer(template)]


def has(row: Mapping[str, Any], name: str) -> bool:
    """Whether a row has a column, or the one in which a name with points begins."""
    return name in row or name.split(".")[0] in row


def _names(row: Mapping[str, Any]) -> str:
    return ", ".join(map(str, row))[:120]


def lookup(row: Mapping[str, Any], name: str) -> Any:
    """A field of a row, or of an object inside it where the name has points; None where there is none."""
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def fill(template: str, row: Mapping[str, Any], needed: bool = False) -> str:
    """A template with a row's fields, `{name:012}` padded with zeros; a line of none but empty fields is left out.

    Raises RecordError (not_a_record) where the template is needed and the row has none of its columns.
    """
    names = columns_of(template)
    if needed and names and not any(has(row, name) for name in names):
        raise RecordError("not_a_record", f"the row has no '{names[0]}' but {_names(row)}.", names[0])
    lines = []
    for line in template.split("\n"):
        said: list[str] = []

        def put(found: re.Match[str], said: list[str] = said) -> str:
            said.append(spoken(lookup(row, found[1])))
            return said[-1].zfill(int(found[2] or 0)) if said[-1] else ""

        filled = _FIELD.sub(put, line)
        if any(said) or not said:
            lines.append(filled)
    return "\n".join(lines)
