"""What an archive holds that no name can lead to is counted, and told wherever the source is told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tests.archives import tar_of, zip_of
from tests.factories import catalogue, jpeg, record, write_lines, write_mixture, write_source
from vita_data.cli.main import main
from vita_data.media.containers.left_out import WHY, left_out_facts, sentences
from vita_data.media.containers.listing import Listed
from vita_data.media.containers.walk import key_of
from vita_data.records.places import MediaPlaces, Place

LEFT = [("../up.jpg", b"1"), ("/abs.jpg", b"2"), ("x" * 5000, b"3"), ("._a.jpg", b"4")]
FACTS = {"name_leads_out": 2, "name_too_long": 1, "litter": 1}


def _archives(root: Path) -> None:
    """A whole archive, one with members that are left out, and one that is cut."""
    root.mkdir(exist_ok=True)
    (root / "a.zip").write_bytes(zip_of([("a.jpg", jpeg(seed=1))]))
    (root / "b.tar").write_bytes(tar_of([("b.jpg", jpeg(seed=2)), *LEFT]))
    (root / "c.tar").write_bytes(tar_of([("c.jpg", jpeg(seed=3)), ("d.jpg", bytes(9000))])[:-12_000])


def test_a_summary_says_which_archives_lack_something_and_why(tmp_path: Path) -> None:
    root = tmp_path / "root"
    _archives(root)
    write_lines(root, [record(name, "Q?", "A.", f"{name}.jpg") for name in "abc"])
    media = MediaPlaces((Place("*.zip"), Place("*.tar"), Place("b.tar", prefix="again/")), on_cut="keep")
    made = catalogue(root, tmp_path / "out", media=media)
    assert len(made.kept) == 3
    assert made.summary["archives"] == [
        {"archive": "b.tar", "members": 1, "left_out": FACTS, "cut": False},
        {"archive": "c.tar", "members": 1, "left_out": {}, "cut": True},
    ]
    assert json.loads((tmp_path / "out/source.json").read_text())["archives"] == made.summary["archives"]
    assert str(tmp_path) not in json.dumps(made.summary["archives"])


def test_a_source_without_archives_lacks_nothing(tmp_path: Path) -> None:
    write_lines(tmp_path / "root", [record("a", "Q?", "A.")])
    assert catalogue(tmp_path / "root", tmp_path / "out").summary["archives"] == []


def test_the_check_says_it_in_sentences(tmp_path: Path) -> None:
    media = {"places": [{"inside": "*.zip"}, {"inside": "*.tar"}], "on_cut": "keep"}
    write_source(tmp_path, "made", [record(name, "Q?", "A.", f"{name}.jpg") for name in "abc"], media=media)
    _archives(tmp_path / "made")
    call = ["sources", "check", str(tmp_path / "made.yaml")]
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 0, done.output
    for words in (
        "- 2 members of b.tar could not be listed: their names lead out of the archive.",
        "- 1 member of b.tar could not be listed: their names are longer than any path may be.",
        "- c.tar is cut or damaged behind its first 1 members, with which the card goes on",
        "1 members, 4 left out",
    ):
        assert words in done.stdout
    assert "Mac" not in done.stdout
    said = json.loads(CliRunner().invoke(main, [*call, "--json"]).stdout)
    assert [(each["name"], each["left_out"], each["cut"]) for each in said["archives"]] == [
        ("a.zip", {}, False),
        ("b.tar", FACTS, False),
        ("c.tar", {}, True),
    ]


def test_of_many_archives_the_check_tells_a_few(tmp_path: Path) -> None:
    write_source(tmp_path, "made", [record("a", "Q?", "A.")], media={"places": [{"inside": "*.tar"}]})
    for number in range(9):
        (tmp_path / f"made/{number}.tar").write_bytes(tar_of([("/abs.jpg", b"1")]))
    done = CliRunner().invoke(main, ["sources", "check", str(tmp_path / "made.yaml")])
    assert done.stdout.count("could not be listed") == 5
    assert "4 more things of this kind about other archives are not shown" in done.stdout


def test_the_report_of_a_build_has_a_table_of_them(tmp_path: Path) -> None:
    from tests.factories import run_build

    media = {"places": [{"inside": "*.zip"}, {"inside": "*.tar"}], "on_cut": "keep"}
    write_source(tmp_path, "mine", [record(name, "Q?", "A.", f"{name}.jpg") for name in "abc"], media=media)
    _archives(tmp_path / "mine")
    facts = run_build(write_mixture(tmp_path, {"mine": "all"}), tmp_path / "out", "1.3")
    assert [each["archive"] for each in facts["sources"][0]["archives"]] == ["b.tar", "c.tar"]
    page = (tmp_path / "out/stages/1.3/report.html").read_text()
    assert "Members of archives that could not be listed (4 rows)" in page
    assert WHY["name_leads_out"] in page


def test_every_reason_for_leaving_a_member_out_has_its_words() -> None:
    names: list[Any] = [None, "", "../a", "x" * 5000, "._a"]
    reasons = {key_of(name, "path")[1] for name in names}
    assert reasons == set(WHY)
    every = Listed("root:a.zip", 1, "a.arrow", 1, dict.fromkeys(reasons, 2))
    assert len(list(sentences(left_out_facts([("a.zip", every)])))) == len(WHY) - 1
