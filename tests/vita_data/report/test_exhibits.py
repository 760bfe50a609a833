from __future__ import annotations

import numpy as np
import pytest
import soundfile

from tests.factories import catalogue, noise, record, write_lines
from tests.vita_data.films import film_of
from vita_data.report.catalogued import find_samples
from vita_data.report.clips import Tape
from vita_data.report.exhibits import Exhibits
from vita_data.report.thumbnails import Album
from vita_data.report.traces import SourceTraces, Traces


@pytest.fixture(scope="module")
def catalogued(tmp_path_factory):
    """A source with pictures, a film and a sound, as its catalog holds it; its traces, and its keys by native id."""
    home = tmp_path_factory.mktemp("exhibits")
    root = home / "mine"
    for number in range(3):
        noise(root / f"{number}.png", number)
    (root / "film.mp4").write_bytes(film_of("H.264 with B-frames in MP4", 40))
    soundfile.write(root / "said.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 5 * 22_050), 22_050)
    heard = [{"from": "human", "value": "<audio>\nWhat is it?"}, {"from": "gpt", "value": "Noise."}]
    seen = [{"from": "human", "value": "<video>\nWhat is it?"}, {"from": "gpt", "value": "A film."}]
    records = [
        record("pictures", "What is it?", "Noise.", "0.png", "1.png", "2.png"),
        record("words", "What is it?", "Nothing."),
        {"id": "sound", "audio": "said.wav", "conversations": heard},
        {"id": "film", "video": "film.mp4", "conversations": seen},
    ]
    write_lines(root, records)
    found = catalogue(root, home / "catalog")
    assert not found.rules
    keys = {row["native_id"].strip('"'): row["key"] for row in found.kept}
    parts = found.summary["parts"]
    return Traces(str(home), {"mine": SourceTraces(str(root), str(home / "catalog"), parts)}), keys


def exhibits(traces: Traces) -> Exhibits:
    return Exhibits(traces, Album(64, 1 << 20), Tape(1 << 20))


def test_samples_are_found_by_their_keys_with_what_they_say(catalogued):
    traces, keys = catalogued
    found = find_samples(
        traces, [keys["words"], keys["film"], "mine-0000000000000000", "yours-0000000000000000"]
    )
    assert set(found) == {keys["words"], keys["film"]}
    assert found[keys["film"]].words == "What is it?\nA film."
    assert found[keys["words"]].where == "data.jsonl:1"


@pytest.mark.parametrize(("name", "words"), [("pictures", "and 1 more"), ("film", "and")])
def test_the_first_pictures_and_frames_of_a_sample_are_shown(catalogued, parse, name, words):
    traces, keys = catalogued
    page = parse(exhibits(traces).of_sample(find_samples(traces, [keys[name]])[keys[name]], 2))
    assert len(page.all("img")) == 2
    assert page.text.startswith(words)


def test_a_sound_that_the_catalog_cut_is_played_from_it(catalogued, parse):
    traces, keys = catalogued
    page = parse(exhibits(traces).of_sample(find_samples(traces, [keys["sound"]])[keys["sound"]], 2))
    assert (len(page.all("audio")), page.text) == (1, "first 3 s")


def test_a_sample_without_media_has_nothing_to_show(catalogued):
    traces, keys = catalogued
    assert exhibits(traces).of_sample(find_samples(traces, [keys["words"]])[keys["words"]], 2) is None


def test_media_that_are_gone_since_leave_their_reason(catalogued, parse):
    traces, keys = catalogued
    lost = Traces(traces.out, {"mine": SourceTraces("elsewhere", traces.sources["mine"].catalog, [0])})
    page = parse(exhibits(lost).of_sample(find_samples(traces, [keys["pictures"]])[keys["pictures"]], 1))
    assert page.text == "Changed since it was read and 2 more"


def test_media_are_found_by_name_and_a_film_is_not_opened(catalogued, parse):
    traces, _ = catalogued
    page = parse(exhibits(traces).of_names("mine", ["film.mp4", "0.png", "said.wav", "lost.wav"], 2))
    assert (len(page.all("img")), len(page.all("audio"))) == (1, 1)
    assert page.text == "first 3 s of the file and 1 more"
    assert exhibits(traces).of_names("mine", ["film.mp4"], 2) is None
