"""Which speech corpus a tree of recordings is: by the names of its transcripts, or by lines that begin with ids."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources import textlines
from vita_data.sources.below import Below
from vita_data.sources.guess_base import Shape, kind_of

LINES = 60
AISHELL_SPLITS = {"train": ["S0002", "S0723"], "dev": ["S0724", "S0763"], "test": ["S0764", "S0916"]}


@dataclass(frozen=True)
class Known:
    """A corpus that is known by its transcripts: a pattern of their paths, whose group `root` stands before it."""

    name: str
    path: str
    options: dict[str, Any]
    speech: str = "asr"


# {root} in `audio` is what stands before the corpus in the path of its transcripts; {ext} is that of the files.
KNOWN = (
    Known(
        "LibriSpeech",
        r"(?P<root>(?:.*/)?)\d+/\d+/\d+-\d+\.trans\.txt",
        {
            "audio": "{folder}/{id}{ext}",
            "id_pattern": r"(?P<speaker>\d+)-\d+-\d+",
            "path_pattern": r"(?P<split>[^/]+)/\d+/\d+/[^/]+$",
        },
    ),
    Known(
        "LibriTTS",
        r"(?P<root>(?:.*/)?)\d+/\d+/\d+_\d+\.trans\.tsv",
        {
            "audio": "{folder}/{id}{ext}",
            "delimiter": "\t",
            "columns": 3,
            "text_column": 2,
            "id_pattern": r"(?P<speaker>\d+)_\d+_\d+_\d+",
            "path_pattern": r"(?P<split>[^/]+)/\d+/\d+/[^/]+$",
        },
        "tts",
    ),
    Known(
        "AISHELL-1",
        r"(?P<root>(?:.*/)?)transcript/aishell_transcript_v0\.8\.txt",
        {
            "audio": "{root}wav/{split}/{speaker}/{id}{ext}",
            "id_pattern": r"BAC009(?P<speaker>S\d{4})W\d{4}",
            "split_speakers": AISHELL_SPLITS,
        },
    ),
    Known(
        "AISHELL-3",
        r"(?P<root>(?:.*/)?)(?:train|test)/content\.txt",
        {
            "audio": "{folder}/wav/{speaker}/{id}{ext}",
            "delimiter": "\t",
            "id_suffix": ".wav",
            "id_pattern": r"(?P<speaker>SSB\d{4})\d{4}",
            "text_form": "with_pinyin",
        },
        "tts",
    ),
    Known(
        "MLS",
        r"(?P<root>(?:.*/)?)(?:train|dev|test)/transcripts\.txt",
        {
            "audio": "{folder}/audio/{speaker}/{book}/{id}{ext}",
            "delimiter": "\t",
            "id_pattern": r"(?P<speaker>\d+)_(?P<book>\d+)_\d+",
            "path_pattern": r"(?P<split>train|dev|test)/transcripts\.txt$",
        },
    ),
    Known(
        "BZNSYP",
        r"(?P<root>(?:.*/)?)ProsodyLabeling/\d+-\d+\.txt",
        {"audio": "{root}Wave/{id}{ext}", "delimiter": "\t", "skip_lines": "^\t"},
        "tts",
    ),
    Known(
        "VCTK",
        r"(?P<root>(?:.*/)?)txt/(?:p\d+|s5)/(?:p\d+|s5)_\d+\.txt",
        {
            "audio": "{root}wav48_silence_trimmed/{speaker}/{id}_mic1.flac",
            "transcript": "file",
            "id_pattern": r"(?P<speaker>p\d+|s5)_\d+",
        },
        "tts",
    ),
)


def of_transcripts(root: str, name: str, below: Below) -> Iterator[Shape]:
    """What a text file may be as a file of transcripts: a corpus known by its path, or lines that begin with ids."""
    if posixpath.basename(name) == "text" and files.exists(
        files.join(root, posixpath.dirname(name), "wav.scp")
    ):
        yield Shape("kaldi", {}, "a file 'text' beside wav.scp, as in Kaldi's directories", "asr")
        return
    if not name.lower().endswith((".txt", ".csv", ".tsv", ".lab", ".transcription")):
        return
    for known in KNOWN:
        if found := re.fullmatch(known.path, name):
            audio = (
                known.options["audio"].replace("{root}", found["root"]).replace("{ext}", _extension(below))
            )
            words = f"a transcript that is called as {known.name}'s are"
            yield Shape("transcript_tree", {**known.options, "audio": audio}, words, known.speech)
            return
    lines = _lines(files.join(root, name))
    yield from _own_file(name, lines, below)
    yield from _prompts(lines, below)
    yield from _by_ids(name, lines, below)


def _extension(below: Below) -> str:
    counts = Counter(posixpath.splitext(name)[1] for name in below.names if kind_of(name) == "audio")
    return counts.most_common(1)[0][0] if counts else ".wav"


def _lines(path: str) -> list[str]:
    with files.open_read(path) as stream:
        found = [textlines.decoded(line) for line in (stream.readline(1 << 16) for _ in range(LINES))]
    return [line for line in found if not isinstance(line, RecordError) and line.strip()]


def _sound(below: Below, text: str) -> str | None:
    """The recording that an id stands for."""
    name = text.strip()
    if not name or len(name) > 200 or any(character in name for character in "*?[]"):
        return None
    found = below.find(name if kind_of(name) == "audio" else f"{name}.wav", "audio")
    return found[1] if found is not None and not found[0] else None


def _own_file(name: str, lines: list[str], below: Below) -> Iterator[Shape]:
    """A transcript that lies beside its own recording."""
    stem, suffix = posixpath.splitext(posixpath.basename(name))
    sound = _sound(below, stem)
    if sound is not None and posixpath.dirname(sound) == posixpath.dirname(name) and 0 < len(lines) < 4:
        options = {
            "audio": f"{{folder}}/{{id}}{_extension(below)}",
            "transcript": "file",
            **({"id_suffix": suffix} if suffix != ".txt" else {}),
        }
        yield Shape(
            "transcript_tree", options, f"{suffix} files that are called as the recordings beside them", "asr"
        )


def _prompts(lines: list[str], below: Below) -> Iterator[Shape]:
    """Asterisk's prompts: the path of a recording without its extension, a colon, the words; `;` begins a remark."""
    ids = [line.partition(": ")[0] for line in lines if ": " in line and not line.startswith(";")]
    found = {each: sound for each in ids if (sound := _prompt(below, each)) is not None}
    if not found or len(found) * 3 < len(lines):
        return
    folders = Counter(posixpath.splitext(sound)[0].removesuffix(each) for each, sound in found.items())
    extensions = {posixpath.splitext(sound)[1] for sound in found.values()}
    audio = f"{folders.most_common(1)[0][0]}{{id}}{extensions.pop() if len(extensions) == 1 else '.*'}"
    words = "lines that begin with the path of a recording and a colon, as Asterisk's prompts have them"
    options = {"audio": audio, "delimiter": ": ", "skip_lines": "^;"}
    yield Shape("transcript_tree", options, words, "tts")


def _prompt(below: Below, path: str) -> str | None:
    """The recording of a prompt, whose own format has an extension that nothing else has."""
    found = below.find(f"{path}.g722") if 0 < len(path) < 200 else None
    if found is None or found[0] or not posixpath.splitext(found[1])[0].endswith(path):
        return None
    return found[1] if kind_of(found[1]) == "audio" or found[1].endswith(".g722") else None


def _by_ids(name: str, lines: list[str], below: Below) -> Iterator[Shape]:
    for delimiter in ("|", "\t", " ("):
        if sum(delimiter in line for line in lines) * 3 > len(lines):
            break
    else:
        delimiter = " "
    if delimiter == " (":  # CMU Sphinx: the words, then the id in brackets
        rows = [line.rpartition(" (")[::2] for line in lines]
        if all(_sound(below, last.rstrip(")")) for _, last in rows):
            options: dict[str, Any] = {"delimiter": " (", "id_column": 1, "text_column": 0, "id_suffix": ")"}
            audio = _template(name, [(last.rstrip(")"), "") for _, last in rows], below)
            words = "lines that end with the name of a recording in brackets, as CMU Sphinx has them"
            yield Shape("transcript_tree", {"audio": audio, **options}, words, "asr")
        return
    cells = [line.split(delimiter, 1 if delimiter == " " else -1) for line in lines]
    named = [row for row in cells if len(row) > 1 and _sound(below, row[0])]
    if not named or len(named) * 3 < len(lines):
        return
    width = Counter(len(row) for row in named).most_common(1)[0][0]
    suffix = posixpath.splitext(named[0][0])[1] if kind_of(named[0][0]) == "audio" else ""
    bare = "/" in named[0][0]  # a path names its file itself
    ids = [(row[0] if bare else row[0].removesuffix(suffix), suffix) for row in named]
    options = {"audio": _template(name, ids, below), "delimiter": delimiter, "columns": width}
    options |= {"text_column": _text_column(cells[0], width), "id_suffix": "" if bare else suffix}
    options["header"] = cells[0] != named[0] and not cells[0][0].startswith((" ", "\t", ";"))
    if delimiter == "\t" and any(line.startswith("\t") for line in lines):
        options["skip_lines"] = "^\t"  # BZNSYP: pinyin in a line of its own
    kept = {key: value for key, value in options.items() if value not in ("", False)}
    words = f"lines that begin with the name of a recording and {delimiter!r}"
    yield Shape("transcript_tree", kept, words, "tts" if delimiter == "|" else "asr")


def _text_column(first: list[str], width: int) -> int:
    """The column of the words: the last, or the one that the header says."""
    return next((first.index(each) for each in ("transcription", "sentence") if each in first), width - 1)


def _template(name: str, ids: list[tuple[str, str]], below: Below) -> str:
    """Where recordings lie by their ids: below the transcript's folder or the root, `*` for what varies."""
    folder = posixpath.dirname(name)
    found = [(each, sound) for each, _ in ids if (sound := _sound(below, each)) is not None]
    if "/" in found[0][0]:
        base = found[0][1].removesuffix(found[0][0]).rstrip("/")
        return "/".join(part for part in ("{folder}" if base == folder else base, "{id}") if part)
    extension = Counter(posixpath.splitext(sound)[1] for _, sound in found).most_common(1)[0][0]
    inside = [posixpath.dirname(sound) for _, sound in found]
    at = "{folder}/" if folder and all((each + "/").startswith(folder + "/") for each in inside) else ""
    parts = [each[len(folder) :].strip("/").split("/") if at else each.split("/") for each in inside]
    same = zip(*parts, strict=False)
    steps = [each[0] if len(set(each)) == 1 else "*" for each in same]
    return at + "/".join([*(step for step in steps if step), f"{{id}}{extension}"])
