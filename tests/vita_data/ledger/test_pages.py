"""The two pages about whose work a stage is: for people in Markdown, for programs as Croissant."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from vita_data import files
from vita_data.ledger.attribution import attribution, origin, write_attribution
from vita_data.ledger.croissant import CONTEXT, FIELDS, croissant, write_croissant
from vita_data.ledger.spdx import licence_terms
from vita_data.manifest.licence import SAID
from vita_data.records.schema import INDEX

# What the specification requires of every dataset, but for what only the one who publishes it knows.
REQUIRED = ("@context", "@type", "conformsTo", "description", "license", "name", "distribution")
PUBLISHERS = ("url", "creator", "datePublished")


def card(**said: Any) -> dict[str, Any]:
    plain = {"title": "Birds", "licence": "cc-by-4.0", "commercial": "allowed", "get": "Ask. Then wait."}
    return {**dict.fromkeys(SAID), **plain, **said}


def line(source: str, samples: int = 3, **said: Any) -> dict[str, Any]:
    written = {"samples": samples, "questions": 2 * samples, "hours": 0.0}
    return {"source": source, "asked": samples, "held_out": 1, "written": written, **said}


def facts_of(*sources: dict[str, Any], **ledger: Any) -> dict[str, Any]:
    cards = {each["source"]: card(title=f"About {each['source']}") for each in sources}
    totals = {"samples": 3 * len(sources), "questions": 6 * len(sources), "hours": 0.0}
    return {
        "stage": "1.3",
        "mixture": "trial",
        "digest": "0123456789abcdef",
        "sources": list(sources),
        "totals": totals,
        "ledger": {"licence": None, "sources": cards, "left_out": {}, **ledger},
    }


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A stage folder with the files that these pages speak of, and no held-out part."""
    for number in range(2):
        rows = [{"key": f"birds-{number}{n}", "shard": number, "source": "birds"} for n in range(3)]
        path = str(tmp_path / "index" / f"{number:05d}.parquet")
        files.write_table(path, pa.Table.from_pylist(rows, INDEX))
    files.write_json(str(tmp_path / "plan.json"), {"digest": "0"})
    (tmp_path / "ATTRIBUTION.md").write_text("Birds.")
    return str(tmp_path)


PLAN = {"sources": [{"source": "birds", "language": "en-zh"}, {"source": "maps", "language": "en"}]}


# --- for people ---


def test_every_source_that_was_drawn_from_is_named_with_all_that_its_card_says(tmp_path: Path) -> None:
    facts = facts_of(line("birds"), line("maps", 0, asked=0))
    facts["ledger"]["sources"]["birds"] = card(
        media_licence="the pictures are from the web",
        url="https://birds.example",
        revision="v2",
        cite="Bird, 2024",
    )
    text = Path(write_attribution(str(tmp_path), facts)).read_text()
    for words in (
        "# Attribution of stage 1.3, mixture trial",
        "| birds | cc-by-4.0 | allowed | 3 | 6 | 0 | 1 |",
        "- media: the pictures are from the web\n",
        "- commercial use: allowed\n- from: <https://birds.example>\n- revision: v2\n- to be named as: Bird, 2024",
    ):
        assert words in text
    assert "maps" not in text
    assert "Left out" not in text


def test_without_a_page_the_first_sentence_says_where_a_source_is_from() -> None:
    assert origin(card()) == "Ask"
    assert (
        origin(card(get="Hugging Face dataset a/b, files x.1;\n  unpack them."))
        == "Hugging Face dataset a/b, files x.1"
    )
    assert origin(card(get="yours")) == "yours"
    assert origin(card(url="https://a.example/x.y z")) == "https://a.example/x.y z"


def test_a_page_that_is_no_link_is_written_as_words() -> None:
    facts = facts_of(line("birds"))
    facts["ledger"]["sources"]["birds"]["url"] = "javascript:alert(1)"
    assert "- from: javascript:alert(1)\n" in attribution(facts)


def test_no_words_of_a_card_become_markup() -> None:
    facts = facts_of(line("birds"))
    facts["ledger"]["sources"]["birds"] = card(title="# A | [b](c)\n\n<img> *d*", licence="x | y\n# z")
    text = attribution(facts)
    assert r"## \# A \| \[b\](c) \<img\> \*d\*" in text
    assert r"| birds | x \| y \# z | allowed |" in text
    assert not re.search(r"^# z|(?<!\\)<img", text, re.MULTILINE)


def test_what_a_licence_left_out_is_listed_with_its_reason() -> None:
    shut = {"shut": card(commercial="forbidden", licence="cc-by-nc-4.0")}
    text = attribution(facts_of(line("birds"), licence="commercial", left_out=shut))
    assert text.endswith("and left out:\n\n- shut: forbidden (cc-by-nc-4.0)\n")
    assert attribution(facts_of(line("birds"), licence="commercial")).endswith("- none\n")


def test_a_stage_of_nothing_has_a_page_too() -> None:
    assert "No source was drawn from." in attribution(facts_of())


# --- for programs ---


def test_a_croissant_says_what_the_specification_requires_and_nothing_that_only_publishers_know(
    folder: str,
) -> None:
    said = croissant(folder, PLAN, facts_of(line("birds")))
    assert [name for name in REQUIRED if not said.get(name)] == []
    assert not set(PUBLISHERS) & set(said)
    assert said["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert said["@type"] == "sc:Dataset"
    assert said["version"] == "1.0.0+0123456789abcdef"
    assert said["inLanguage"] == ["en", "zh"]


def test_every_term_of_a_croissant_is_one_of_its_context_or_of_schema_org(folder: str) -> None:
    schema_org = {"name", "description", "version", "inLanguage", "license", "isBasedOn", "url", "citation"}
    schema_org |= {"distribution", "contentUrl", "contentSize", "encodingFormat", "sha256"}
    said = croissant(folder, PLAN, facts_of(line("birds"), line("maps")))

    def terms(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {each for item in value.values() for each in terms(item)}
        return {each for item in value for each in terms(item)} if isinstance(value, list) else set()

    body = {name: value for name, value in said.items() if name != "@context"}
    assert terms(body) - {"@type", "@id"} <= schema_org | set(CONTEXT)


def test_files_are_told_with_size_and_digest_and_shards_as_a_set(folder: str) -> None:
    distribution = croissant(folder, PLAN, facts_of(line("birds")))["distribution"]
    single = [each for each in distribution if each["@type"] == "cr:FileObject"]
    names = ["plan.json", "ATTRIBUTION.md", "index/00000.parquet", "index/00001.parquet"]
    assert [each["contentUrl"] for each in single] == names
    for each in single:
        data = (Path(folder) / each["contentUrl"]).read_bytes()
        assert each["sha256"] == hashlib.sha256(data).hexdigest()
        assert each["contentSize"] == f"{len(data)} B"
    sets = {each["@id"]: each["includes"] for each in distribution if each["@type"] == "cr:FileSet"}
    assert sets == {"shards": "shards/*.tar", "index": "index/*.parquet"}
    ids = [each["@id"] for each in distribution]
    assert len(set(ids)) == len(ids)


def test_records_are_the_columns_of_the_index_with_one_value(folder: str) -> None:
    (records,) = croissant(folder, PLAN, facts_of(line("birds")))["recordSet"]
    kinds = {each["name"]: each["dataType"] for each in records["field"]}
    single = [field.name for field in INDEX if not pa.types.is_list(field.type)]
    assert sorted(kinds) == sorted(single) == sorted(FIELDS)
    assert (kinds["key"], kinds["questions"], kinds["seconds"]) == ("sc:Text", "sc:Integer", "sc:Float")
    assert {each["source"]["fileSet"]["@id"] for each in records["field"]} == {"index"}


def test_the_held_out_part_has_files_and_records_of_its_own(folder: str) -> None:
    files.write_table(f"{folder}/eval/index/00000.parquet", pa.Table.from_pylist([], INDEX))
    said = croissant(folder, PLAN, facts_of(line("birds")))
    assert [each["@id"] for each in said["recordSet"]] == ["samples", "held_out"]
    assert {each["@id"] for each in said["distribution"]} >= {
        "eval/shards",
        "eval/index",
        "eval/index/00000.parquet",
    }


def test_licences_are_pages_of_spdx_where_the_card_names_them_and_its_words_otherwise(folder: str) -> None:
    assert licence_terms("cc-by-4.0") == ["https://spdx.org/licenses/CC-BY-4.0.html"]
    assert licence_terms("CC0-1.0 AND CC-BY-2.0") == [
        "https://spdx.org/licenses/CC0-1.0.html",
        "https://spdx.org/licenses/CC-BY-2.0.html",
    ]
    assert licence_terms("mit, and\n more") == ["mit, and more"]
    facts = facts_of(line("birds"), line("maps"))
    facts["ledger"]["sources"]["maps"]["licence"] = "ask"
    assert croissant(folder, PLAN, facts)["license"] == ["https://spdx.org/licenses/CC-BY-4.0.html", "ask"]


def test_sources_are_what_the_dataset_is_based_on_with_what_is_known_of_each(folder: str) -> None:
    facts = facts_of(line("birds"), line("maps"), line("nobody", asked=0))
    facts["ledger"]["sources"]["maps"] |= {
        "url": "https://maps.example",
        "cite": "Map, 2020",
        "revision": "1",
    }
    said = croissant(folder, PLAN, facts)
    birds, maps = said["isBasedOn"]
    assert birds["description"] == "Ask" and "url" not in birds
    assert (maps["url"], maps["version"], maps["citation"]) == ("https://maps.example", "1", "Map, 2020")
    assert said["citeAs"] == "Map, 2020"
    assert "citeAs" not in croissant(folder, PLAN, facts_of(line("birds")))


def test_equal_folders_give_equal_bytes_wherever_they_lie(folder: str, tmp_path_factory: Any) -> None:
    facts = facts_of(line("birds"), line("maps"))
    other = shutil.copytree(folder, tmp_path_factory.mktemp("elsewhere") / "stage")
    first, second = (Path(write_croissant(str(place), PLAN, facts)).read_bytes() for place in (folder, other))
    assert first == second
    assert json.loads(first)["name"] == "trial, stage 1.3"
    assert folder.encode() not in first
