"""What rows are, from a look at some of them: conversations, questions, captions, OCR labels or utterances."""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from vita_data.media.containers.names import EXTENSIONS
from vita_data.sources.guess_base import Rows, Shape

PROMPTS = {
    "en": ["Describe what you see.", "What does this show?"],
    "zh": ["请描述你看到的内容。", "这里展示了什么？"],
}
QUESTIONS = ("question", "q", "query", "problem", "prompt", "instruction")
ANSWERS = ("answer", "a", "answers", "response", "output", "label")
CAPTIONS = ("caption", "captions", "recaption", "description", "text")
CHOICES = ("choices", "options")
TEXTS, POLYGONS = ("transcription", "text"), ("points", "polygon", "poly", "box", "bbox")
# What the turns of a list are called: keys of its objects -> dialect, and other names for the dialect's keys.
TURNS: tuple[tuple[tuple[str, str], str, dict[str, str]], ...] = (
    (("from", "value"), "conversations", {}),
    (("role", "content"), "messages", {}),
    (("q", "a"), "QA", {}),
    (("question", "answer"), "QA", {"q": "question", "a": "answer"}),
    (("human", "assistant"), "QA", {"q": "human", "a": "assistant"}),
    (("user", "assistant"), "QA", {"q": "user", "a": "assistant"}),
)
ALPACA = (("instruction", "output"), ("query", "response"), ("instruction", "response"))
MANIFESTS = {
    "nemo": ("audio_filepath", "text"),
    "wenet": ("key", "wav", "txt"),
    "funasr": ("key", "source", "target"),
    "emilia": ("wav", "text"),
    "commonvoice": ("path", "sentence"),
    "speechbrain": ("wav", "wrd"),
}
_TOKEN = re.compile(r"<[^<>\s]{0,16}?(image|video|audio|speech)[^<>\s]{0,8}>")
_USUAL = ("<image>", "<video>", "<audio>")


def shapes(rows: Rows) -> Iterator[Shape]:
    """What rows of objects may be, the likeliest first."""
    keys = Counter(key for value in rows.values for key in value)
    for find in (_utterances, _ocr, _donut, _turns, _alpaca, _questions, _texts, _captions):
        yield from find(rows, keys)


def _utterances(rows: Rows, keys: Counter[str]) -> Iterator[Shape]:
    if rows.form == "keyed" and keys["wav"] and (keys["words"] or keys["wrd"]):
        yield Shape("manifest", {"dialect": "speechbrain"}, "an object of utterances with wav and words")
        return
    if keys["start"] and keys["duration"] and (keys["recording"] or keys["supervisions"]):
        yield Shape("manifest", {"dialect": "lhotse"}, "cuts with start, duration and supervisions")
    for dialect, needed in MANIFESTS.items():
        if all(keys[key] * 2 > len(rows.values) for key in needed):
            words = f"rows with {', '.join(needed)}, as {dialect} manifests have them"
            yield Shape("manifest", {"dialect": dialect}, words)


def _ocr(rows: Rows, keys: Counter[str]) -> Iterator[Shape]:
    for key in keys:
        instances = next((_list(value.get(key)) for value in rows.values if _list(value.get(key))), [])
        text = next((name for name in TEXTS if name in instances[0]), None) if instances else None
        polygon = next((name for name in POLYGONS if name in instances[0]), None) if instances else None
        image = _file_key(rows.values, "image")
        if text is None or (polygon is None and key != "instances"):
            continue
        options: dict[str, Any] = {"text_key": text, **({"polygon_key": polygon} if polygon else {})}
        if image is None:  # `{name of the picture: instances}`, read as rows of id and value
            if rows.form != "keyed" or key != "value":
                continue
            options |= {"layout": "keyed"}
        else:
            layout = "lines" if rows.form == "lines" else "list"
            options |= {"layout": layout, "image_key": image, "instances_key": key}
            options |= {"items_path": rows.items_path} if layout == "list" else {}
        yield Shape("ocr_json", options, f"text instances with '{text}' under '{key}'")


def _donut(rows: Rows, keys: Counter[str]) -> Iterator[Shape]:
    if keys["ground_truth"] and (keys["file_name"] or rows.form == "parquet"):
        yield Shape("donut", {}, "ground_truth beside file_name, as Donut's metadata.jsonl has them")


def _turns(rows: Rows, keys: Counter[str]) -> Iterator[Shape]:
    if rows.form in ("keyed", "items", "table"):
        return
    for key in sorted(keys, key=lambda key: (key not in ("conversations", "messages", "QA"), key)):
        turns = next((found for value in rows.values if (found := _list(value.get(key)))), [])
        for pair, dialect, names in TURNS:
            if not turns or not all(name in turns[0] for name in pair):
                continue
            options: dict[str, Any] = {"turns": dialect, **({"keys": names} if names else {})}
            if rows.form == "parquet":
                options["turns_column"] = key
            elif key != dialect:
                options["turns_key"] = key
            yield Shape(
                _rows_adapter(rows), options | _media(rows), f"turns of {pair[0]} and {pair[1]} under '{key}'"
            )
            break
    if keys["data"] and all(isinstance(each, str) for each in rows.values[0].get("data") or [0]):
        yield Shape(_rows_adapter(rows), {"turns": "data"} | _media(rows), "lists of texts under 'data'")


def _alpaca(rows: Rows, keys: Counter[str]) -> Iterator[Shape]:
    for question, answer in ALPACA:
        if not (keys[question] and keys[answer]):
            continue
        words = f"rows of {question} and {answer}, as Alpaca has them"
        if rows.form == "table":
            asked = f"{{{question}}}\n{{input}}" if keys["input"] else question
            yield Shape("qa_rows", {"question": asked, "answer": answer}, words)
        elif rows.form in ("array", "lines", "parquet"):
            names = {"instruction": question, "output": answer}
            renamed = {key: name for key, name in names.items() if key != name}
            options = {"turns": "alpaca", **({"keys": renamed} if renamed else {})}
            yield Shape(_rows_adapter(rows), options | _media(rows), words)


def _questions(rows: Rows, keys: Counter[str]) -> Iterator[Shape]:
    question = next((key for key in QUESTIONS if keys[key]), None)
    answer = next((key for key in ANSWERS if keys[key]), None)
    if question is None or answer is None:
        return
    if rows.form == "table" and keys["index"] and keys["image"]:
        yield Shape("vlmeval_tsv", {}, "index, question and image columns, as VLMEvalKit has them")
    asked, options = question, {}
    choices = next((key for key in CHOICES if any(_texts_of(value.get(key)) for value in rows.values)), None)
    if choices is not None:
        asked, options = (
            f"{{{question}}}\n{{choices}}",
            {"choices": choices, **_answer_is(rows, answer, choices)},
        )
    words = f"rows of {question} and {answer}"
    yield from _flat(rows, {"question": asked, "answer": answer, **options}, words)


def _captions(rows: Rows, keys: Counter[str]) -> Iterator[Shape]:
    caption = next((key for key in CAPTIONS if keys[key]), None)
    kind = next((kind for kind in EXTENSIONS if _file_key(rows.values, kind) or rows.cells.get(kind)), None)
    if caption is None or (kind is None and caption == "text"):
        return
    if rows.form == "parquet" and kind == "audio":
        options = {"audio_column": rows.cells[kind], "text_column": caption}
        yield Shape("hf_parquet", options, f"sounds with what is said under '{caption}'", "asr")
        return
    language = (
        "zh" if any("\u4e00" <= each <= "\u9fff" for each in str(rows.values[0].get(caption))) else "en"
    )
    yield from _flat(rows, {"answer": caption, "prompts": PROMPTS[language]}, f"captions under '{caption}'")


def _texts(rows: Rows, keys: Counter[str]) -> Iterator[Shape]:
    """Texts with tokens for their media, as Data-Juicer writes them; texts alone are no conversation."""
    media = _media(rows)
    if keys["text"] and media.get("tokens") and rows.form in ("lines", "array", "parquet"):
        yield Shape(_rows_adapter(rows), {"turns": "text"} | media, "texts with tokens for their media")


def _flat(rows: Rows, options: dict[str, Any], words: str) -> Iterator[Shape]:
    """Flat rows, with the columns or templates that may name their media."""
    if rows.form == "parquet":
        named = {f"{key}_column": options.pop(key) for key in ("question", "answer") if key in options}
        if "prompts" in options:
            named["question_column"] = named.get("question_column", named["answer_column"])
        yield Shape("hf_parquet", {**named, **options, **_media(rows)}, words)
        return
    form: dict[str, Any] = {"keyed": {"format": "object"}, "items": {"items_path": rows.items_path}}.get(
        rows.form, {}
    )
    form |= rows.table
    media = _media(rows)
    media = {kind: media.get(f"{kind}_key") for kind in EXTENSIONS if media.get(f"{kind}_key")} | {
        key: value for key, value in media.items() if key == "tokens"
    }
    for template in rows.templates(media):
        if "prompts" in options and not any(kind in {**media, **template} for kind in EXTENSIONS):
            continue  # a caption of nothing
        yield Shape("qa_rows", {**form, **options, **media, **template}, words)


def _answer_is(rows: Rows, answer: str, choices: str) -> dict[str, str]:
    given = [value.get(answer) for value in rows.values if value.get(choices)]
    if given and all(isinstance(each, int) for each in given):
        return {"answer_is": "index"}
    letters = [each for each in given if isinstance(each, str) and re.fullmatch("[A-Z]", each)]
    return {"answer_is": "letter"} if letters and len(letters) * 2 > len(given) else {}


def _media(rows: Rows) -> dict[str, Any]:
    """Options that say where media are named, where that is not the usual place, and their tokens."""
    options: dict[str, Any] = {}
    for kind in EXTENSIONS:
        if rows.form == "parquet":
            column = rows.cells.get(kind)
            if column is not None and (kind, column) != ("image", "image"):
                options[f"{kind}_column"] = column
        else:
            key = _file_key(rows.values, kind)
            usual = (kind, f"{kind}s") if rows.form in ("array", "lines") else (kind,)
            if key is not None and (
                key not in usual or (rows.form not in ("array", "lines") and key != kind)
            ):
                options[f"{kind}_key"] = key
    tokens = _tokens(rows.values)
    return {**options, **({"tokens": tokens} if tokens else {})}


def _tokens(values: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, Counter[str]] = {}
    for value in values:
        for match in _TOKEN.finditer(json.dumps(value, ensure_ascii=False, default=str)):
            if match[0] not in _USUAL:
                kind = "audio" if match[1] == "speech" else match[1]
                found.setdefault(kind, Counter())[re.sub(r"\d+", "{n}", match[0])] += 1
    return {kind: counts.most_common(1)[0][0] for kind, counts in found.items()}


def _file_key(values: list[dict[str, Any]], kind: str) -> str | None:
    """The key under which most records name files of a kind."""
    counts: Counter[str] = Counter()
    for value in values:
        for key, named in value.items():
            if any(_is_file(each, kind) for each in (named if isinstance(named, list) else [named])):
                counts[key] += 1 + (key in (kind, f"{kind}s"))
    return max(sorted(counts), key=lambda key: counts[key], default=None)


def _is_file(name: Any, kind: str) -> bool:
    return (
        isinstance(name, str)
        and len(name) < 500
        and "\n" not in name
        and "://" not in name
        and posixpath.splitext(name)[1].lower() in EXTENSIONS[kind]
    )


def _list(value: Any) -> list[dict[str, Any]]:
    """A list of objects, also from JSON inside a text; empty where there is none."""
    if isinstance(value, str) and value[:1] == "[":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return value
    return []


def _texts_of(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _rows_adapter(rows: Rows) -> str:
    return "hf_parquet" if rows.form == "parquet" else "llava_json"
