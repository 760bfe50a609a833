"""The duplicates: how many samples left for how many that stay, and some of them beside each other."""

from __future__ import annotations

from vita_data.report.catalogued import Catalogued, find_samples
from vita_data.report.clips import Tape
from vita_data.report.clusters import Cluster, Kind, Leaver, counts_of, kinds_of
from vita_data.report.differences import side_by_side
from vita_data.report.exhibits import Exhibits
from vita_data.report.formats import count, counted, shorten
from vita_data.report.markup import Html, join, tag
from vita_data.report.tables import Cell, table
from vita_data.report.thumbnails import Album
from vita_data.report.traces import Traces

CLUSTERS = 4  # of a kind
LEAVERS = 2  # of a cluster
PICTURES = 2
THUMBNAIL = 128
PICTURE_BUDGET = 350_000
CLIP_BUDGET = 250_000
WORDS = 480

HEADS = ("Source", "Exact", "Near text", "Near picture", "Share only media", "Share only questions")
COLUMNS = ("exact", "near_text", "near_picture", "same_media", "same_questions")
TITLES = {
    "exact": ("Exact duplicates", "Media and turns are those of the sample that stays."),
    "near_text": (
        "Near duplicates in text",
        "The words are nearly those of the sample that stays; what differs is marked.",
    ),
    "near_picture": (
        "Near duplicates in pictures",
        "The pictures lie within the radius, and the turns are equal or near.",
    ),
}
NOTE = (
    "What shares only its media or only its questions with another sample is counted and never removed: sources ask "
    "several things about one picture, and the same thing about many, on purpose."
)


def duplicates_section(traces: Traces) -> Html:
    """Duplicates by source, and by kind the largest cluster and a keyed choice of others."""
    title = tag("h2", "Duplicates")
    if traces.duplicates is None:
        words = "The mixture says that it is not curated, so no duplicate was looked for."
        return tag("section", title, tag("p", words), id="duplicates")
    kinds = kinds_of(traces.duplicates, CLUSTERS, LEAVERS)
    shown = [cluster for kind in kinds for cluster in kind.shown]
    keys = [key for cluster in shown for key in (cluster.stays, *(one.key for one in cluster.leavers))]
    samples = find_samples(traces, keys)
    exhibits = Exhibits(traces, Album(THUMBNAIL, PICTURE_BUDGET), Tape(CLIP_BUDGET))
    return tag(
        "section",
        title,
        tag("p", _sentence(kinds)),
        _table(traces, counts_of(traces.duplicates)),
        tag("p", NOTE, class_="note"),
        *(_kind(kind, samples, exhibits) for kind in kinds if kind.left),
        id="duplicates",
    )


def _sentence(kinds: list[Kind]) -> str:
    left = sum(kind.left for kind in kinds)
    if not left:
        return "No sample left as a duplicate of another."
    return (
        f"{counted(left, 'sample')} left for others that stay. Of equal or near ones that stays which stands first in "
        "the order of the mixture, and none leaves over a chain: each is near the very one it left for."
    )


def _table(traces: Traces, counts: dict[str, dict[str, int]]) -> Html:
    rows: list[list[Cell]] = [[name, *(counts[name][kind] for kind in COLUMNS)] for name in traces.sources]
    total: list[Cell] = [sum(own[kind] for own in counts.values()) for kind in COLUMNS]
    return table("Duplicates by source", HEADS, rows, ["All sources", *total])


def _kind(kind: Kind, samples: dict[str, Catalogued], exhibits: Exhibits) -> Html:
    title, why = TITLES[kind.name]
    one = _copies if kind.name == "exact" else _compared
    cards = (tag("li", one(cluster, samples, exhibits)) for cluster in kind.shown)
    head = f"{counted(kind.left, 'sample')} left in {counted(kind.clusters, 'cluster')}"
    more = counted(kind.clusters - len(kind.shown), "more cluster")
    return join(
        [
            tag("h3", title, " ", tag("small", head)),
            tag("p", why, class_="muted"),
            tag("ul", *cards, class_="clusters"),
            tag("p", f"and {more}", class_="muted") if kind.clusters > len(kind.shown) else None,
        ]
    )


def _copies(cluster: Cluster, samples: dict[str, Catalogued], exhibits: Exhibits) -> Html:
    """The sample that stays, and the names of those equal to it."""
    stays = samples.get(cluster.stays)
    words = tag(
        "div",
        shorten(stays.words, WORDS) if stays else None,
        class_="said",
        dir="auto",
        lang=stays.lang if stays else None,
    )
    left = (tag("li", _name(leaver.key, samples)) for leaver in cluster.leavers)
    return tag(
        "article",
        tag("div", _label("stays", cluster.stays, samples), _shown(stays, exhibits), words, class_="side"),
        tag("div", tag("span", "left", class_="speaker"), tag("ul", *left), _more(cluster), class_="side"),
        class_="card pair",
    )


def _compared(cluster: Cluster, samples: dict[str, Catalogued], exhibits: Exhibits) -> Html:
    """The sample that stays beside each that left for it."""
    pairs = [_pair(cluster.stays, leaver, samples, exhibits) for leaver in cluster.leavers]
    return tag("article", *pairs, _more(cluster), class_="card")


def _pair(stays: str, leaver: Leaver, samples: dict[str, Catalogued], exhibits: Exhibits) -> Html:
    ours, theirs = samples.get(stays), samples.get(leaver.key)
    words = side_by_side(ours.words if ours else "", theirs.words if theirs else "")
    sides = (
        tag(
            "div",
            _label(what, key, samples),
            _shown(sample, exhibits),
            tag("div", said, class_="said", dir="auto", lang=sample.lang if sample else None),
            class_="side",
        )
        for what, key, sample, said in (
            ("stays", stays, ours, words[0]),
            ("left", leaver.key, theirs, words[1]),
        )
    )
    return join([tag("p", _measured(leaver), class_="sizes near"), tag("div", *sides, class_="pair")])


def _measured(leaver: Leaver) -> str:
    words = f"Similarity of the turns {leaver.similarity:.2f}"
    return (
        words
        if leaver.distance is None
        else f"{words}; at most {leaver.distance} of 64 bits of a picture differ"
    )


def _label(what: str, key: str, samples: dict[str, Catalogued]) -> Html:
    return tag("p", tag("span", what, class_="speaker"), _name(key, samples))


def _name(key: str, samples: dict[str, Catalogued]) -> Html:
    sample = samples.get(key)
    place = tag("small", tag("bdi", sample.where)) if sample else None
    return join([tag("code", key), " ", place])


def _shown(sample: Catalogued | None, exhibits: Exhibits) -> Html | None:
    return exhibits.of_sample(sample, PICTURES) if sample else None


def _more(cluster: Cluster) -> Html | None:
    more = cluster.size - len(cluster.leavers)
    return tag("p", f"and {count(more)} more left for it", class_="muted") if more else None
