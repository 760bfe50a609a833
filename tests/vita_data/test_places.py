"""What the `media` key of a source card may say, and what is said when it says something else."""

from __future__ import annotations

import pytest

from vita_data.errors import ManifestError
from vita_data.manifest.bind import bind
from vita_data.manifest.parse import parse_card
from vita_data.records.places import MediaPlaces, Place

CARD = """
places:
  - {prefix: "allava_laion/images/", inside: "allava_laion/image_chunks/images_*.zip", names: base}
  - {prefix: "sam/images/", inside: "sam/sa_*.tar"}
  - {prefix: "", inside: "images.zip", strip: "mnt/petrelfs/x/4o/image/"}
  - {inside: "data/*.parquet", names: column, name_column: image_id, bytes_column: image}
fallback: [case, extension]
missing: keep-text
on_cut: keep
"""


def bound(text: str) -> MediaPlaces:
    return bind(parse_card(text.encode(), "card.yaml"), MediaPlaces)


def test_every_kind_of_place_is_bound() -> None:
    assert bound(CARD) == MediaPlaces(
        (
            Place("allava_laion/image_chunks/images_*.zip", prefix="allava_laion/images/", names="base"),
            Place("sam/sa_*.tar", prefix="sam/images/"),
            Place("images.zip", strip="mnt/petrelfs/x/4o/image/"),
            Place("data/*.parquet", names="column", name_column="image_id", bytes_column="image"),
        ),
        ("case", "extension"),
        "keep-text",
        "keep",
    )
    assert bound("fallback: [case]") == MediaPlaces(fallback=("case",))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('inside: ""', "inside is empty; name the archive"),
        ("inside: a.zip, prefix: sam/images", "prefix sam/images is no folder; write sam/images/"),
        ("inside: a.zip, strip: /mnt/x/", "strip /mnt/x/ is no folder; write mnt/x/"),
        ("inside: a.zip, strip: x/, names: base", "strip needs names: path"),
        ("inside: a.parquet, names: column, name_column: id", "needs name_column and bytes_column"),
        ("inside: a.zip, bytes_column: image", "need names: column"),
        ("inside: a.zip, names: bare", "write base"),
        ("prefix: a/", "the key places\\[0\\].inside is missing"),
    ],
)
def test_a_place_that_makes_no_sense_is_named_with_its_line(line: str, words: str) -> None:
    with pytest.raises(ManifestError, match=f"card.yaml:2: .*{words}"):
        bound(f"places:\n  - {{{line}}}\n")
