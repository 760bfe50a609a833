"""`croissant.json`: a stage as MLCommons Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html).

Files are told by paths relative to the stage's folder. The tables have a sha256 each; shards are a set of files, since
theirs would cost a reading of all that was written, and stage.json has the digest of the members of each. What only
the one who publishes a stage knows (`url`, `creator`, `datePublished`) is theirs to add to the copy that goes out.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.ledger.attribution import NAME as ATTRIBUTION
from vita_data.ledger.attribution import origin
from vita_data.ledger.spdx import licence_terms
from vita_data.records.schema import INDEX
from vita_data.shards.seal import EVAL, PLAN, sha256

NAME = "croissant.json"
VERSION = "http://mlcommons.org/croissant/1.1"
PARQUET, TAR = "application/x-parquet", "application/x-tar"
# What the columns of an index mean, those that hold one value a sample.
FIELDS = {
    "key": "Name of the sample, with which the names of its members in the shard begin.",
    "shard": "Number of the shard that holds the sample.",
    "source": "Source that the sample is from, by the name of its card.",
    "language": "Language of the sample.",
    "licence": "Licence of its source, as its card states it.",
    "questions": "Questions that the sample asks.",
    "text_tokens": "Tokens of its text.",
    "visual_tokens": "Tokens of its pictures and frames.",
    "audio_tokens": "Tokens of its sounds.",
    "length": "Tokens of the training sequence it makes.",
    "seconds": "Seconds of its sounds.",
    "sound_samples": "The same in samples of sound at the stored rate.",
}


def write_croissant(folder: str, plan: dict[str, Any], facts: dict[str, Any]) -> str:
    """Writes `<folder>/croissant.json` for the files that lie there, and returns its path.

    `ATTRIBUTION.md`, plan.json, the index and the held-out part come before it; stage.json, which seals it, after.
    Equal folders give equal bytes.
    """
    path = files.join(folder, NAME)
    text = json.dumps(croissant(folder, plan, facts), ensure_ascii=False, indent=1)
    files.write_bytes(path, f"{text}\n".encode())
    return path


def croissant(folder: str, plan: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """The stage as JSON-LD."""
    drawn = [line["source"] for line in facts["sources"] if line["asked"]]
    cards = {name: facts["ledger"]["sources"][name] for name in drawn}
    languages = {line["language"] for line in plan["sources"] if line["source"] in cards}
    parts = ["", f"{EVAL}/"] if files.matching(folder, f"{EVAL}/index/*.parquet") else [""]
    said = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": f"{facts['mixture']}, stage {facts['stage']}",
        "description": _description(facts, len(drawn)),
        "version": f"1.0.0+{facts['digest']}",
        "inLanguage": sorted({part for language in languages for part in language.split("-")}),
        "license": list(
            dict.fromkeys(term for card in cards.values() for term in licence_terms(card["licence"]))
        ),
        "citeAs": "; ".join(dict.fromkeys(card["cite"] for card in cards.values() if card["cite"])) or None,
        "isBasedOn": [_based_on(card) for card in cards.values()],
        "distribution": [*_files(folder, parts), *(each for part in parts for each in _sets(part))],
        "recordSet": [_records(part) for part in parts],
    }
    return {name: value for name, value in said.items() if value is not None}


def _description(facts: dict[str, Any], sources: int) -> str:
    totals, licence = facts["totals"], facts["ledger"]["licence"]
    hours = f" and {totals['hours']:,.2f} hours of sound" if totals["hours"] else ""
    words = (
        f"Training data for stage {facts['stage']}: {totals['samples']:,} samples with {totals['questions']:,} "
        f"questions{hours} from {sources} sources, as shards of the WebDataset layout. {ATTRIBUTION} names every "
        "source with its licence."
    )
    return words if licence is None else f"{words} All are sources whose cards allow {licence} use."


def _based_on(card: dict[str, Any]) -> dict[str, Any]:
    said = {
        "@type": "sc:Dataset",
        "name": card["title"],
        "description": None if card["url"] else origin(card),
        "license": licence_terms(card["licence"]),
        "url": card["url"],
        "version": card["revision"],
        "citation": card["cite"],
    }
    return {name: value for name, value in said.items() if value is not None}


def _files(folder: str, parts: list[str]) -> list[dict[str, Any]]:
    """Single files with their checksums: the plan, the page of attributions, and every table of an index."""
    formats = {PLAN: "application/json", ATTRIBUTION: "text/markdown"}
    names = [name for part in parts for name in files.matching(folder, f"{part}index/*.parquet")]
    return [
        {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "contentUrl": name,
            "contentSize": f"{files.identity(files.join(folder, name))['size']} B",
            "encodingFormat": formats.get(name, PARQUET),
            "sha256": sha256(files.join(folder, name)),
        }
        for name in (*formats, *names)
    ]


def _sets(part: str) -> list[dict[str, Any]]:
    kinds = (("shards", "tar", TAR, "Samples: "), ("index", "parquet", PARQUET, "One row a sample: "))
    whose = "held out from training." if part else "for training."
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"{part}{name}",
            "name": f"{part}{name}",
            "description": f"{words}{whose}",
            "encodingFormat": kind,
            "includes": f"{part}{name}/*.{ending}",
        }
        for name, ending, kind, words in kinds
    ]


def _records(part: str) -> dict[str, Any]:
    """The rows of an index as records."""
    name = "held_out" if part else "samples"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/key"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "description": words,
                "dataType": _type(INDEX.field(column).type),
                "source": {"fileSet": {"@id": f"{part}index"}, "extract": {"column": column}},
            }
            for column, words in FIELDS.items()
        ],
    }


def _type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"


# Appendix 1 of the specification, as far as terms of it are used here or readers look for them.
_TERMS = (
    "arrayShape citeAs column conformsTo containedIn equivalentProperty extract field fileObject fileProperty fileSet "
    "format includes isArray isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated "
    "replace samplingRate separator source subField transform"
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
}
