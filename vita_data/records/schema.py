"""The Arrow schemas of everything on disk that a machine reads; a golden test holds them still.

Raise the version of a table here when its columns change, and say so in the changelog.
"""

from __future__ import annotations

import pyarrow as pa

CATALOG_VERSION = 3
MEASURE_VERSION = 2
INDEX_VERSION = 2
PACKS_VERSION = 1
CODES_VERSION = 1
REJECTS_VERSION = 1
SIGNALS_VERSION = 2
DUPLICATES_VERSION = 2
RECORD_VERSION = 2

# Where the bytes of one medium lie, and what they were when the catalog read them.
MEDIUM = pa.struct(
    [
        ("kind", pa.string()),  # image | video-frame | audio, in this order
        ("part_of", pa.int32()),  # the number of its picture, film or sound in the record
        ("path", pa.string()),  # path or URL of the file that holds the bytes
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("sha256", pa.binary(32)),  # of the stored bytes
        ("content", pa.binary(16)),  # blake2b of the decoded pixels or samples; for a frame those of its film
        ("extension", pa.string()),  # jpg | png | flac, after the content and not the name
        ("width", pa.int32()),  # after orientation
        ("height", pa.int32()),
        ("time", pa.float64()),  # seconds of a frame from the first one of its film
        ("samples", pa.int64()),  # of a sound, at `rate`
        ("rate", pa.int32()),
        ("native", pa.string()),  # the name in the annotation, for people
    ]
)

CATALOG = pa.schema(
    [
        ("key", pa.string()),
        ("annotation", pa.string()),
        ("position", pa.int64()),
        ("native_id", pa.string()),  # as JSON text
        ("occurrence", pa.int32()),
        ("questions", pa.int32()),
        ("sound_samples", pa.int64()),  # of all its sounds together: hours are counted in these
        ("speaker", pa.string()),  # whose voice is heard, where the corpus says so
        (
            "split",
            pa.string(),
        ),  # the publisher's name of the split or subset it comes from, where something tells
        ("language", pa.string()),  # the record's own, else its source's
        ("record", pa.string()),  # the canonical JSON member, as it will stand in the shard
        ("media", pa.list_(MEDIUM)),
    ]
)

GRID = pa.struct([("cols", pa.int8()), ("rows", pa.int8())])

MEASURE = pa.schema(
    [
        ("key", pa.string()),
        ("row", pa.int32()),  # its row in the catalog part of the same number
        ("questions", pa.int32()),
        ("sound_samples", pa.int64()),
        ("text_tokens", pa.int32()),
        ("visual_tokens", pa.int32()),
        ("audio_tokens", pa.int32()),
        ("length", pa.int32()),  # of the training sequence
        ("grids", pa.list_(GRID)),  # tiles of each picture and frame, the thumbnail not counted
        ("bytes", pa.int64()),  # of its shard members, headers included
        ("selection", pa.uint64()),  # the hash that orders samples
        (
            "hold",
            pa.list_(pa.uint64()),
        ),  # a hash for each medium, the speaker, or the text: held out when small
    ]
)

# A selected sample on its way to a shard: what the catalog knows and what was measured, in one row.
SELECTED = pa.schema(
    [
        ("selection", pa.uint64()),
        ("key", pa.string()),
        ("language", pa.string()),
        ("record", pa.string()),
        ("media", pa.list_(MEDIUM)),
        *(
            MEASURE.field(name)
            for name in (
                "questions",
                "sound_samples",
                "text_tokens",
                "visual_tokens",
                "audio_tokens",
                "length",
                "grids",
                "bytes",
            )
        ),
        ("source", pa.string()),
    ]
)

REJECTS = pa.schema(
    [
        ("key", pa.string()),
        ("source", pa.string()),
        ("annotation", pa.string()),
        ("position", pa.int64()),
        ("native_id", pa.string()),
        ("step", pa.string()),
        ("rule", pa.string()),
        ("value", pa.string()),
        ("threshold", pa.string()),
        ("message", pa.string()),
        ("media", pa.list_(pa.string())),  # names of the media involved, for thumbnails
    ]
)

MEMBER = pa.struct(
    [("name", pa.string()), ("offset", pa.int64()), ("length", pa.int64()), ("sha256", pa.binary(32))]
)

INDEX = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.int32()),
        ("members", pa.list_(MEMBER)),  # the JSON member first
        ("questions", pa.int32()),
        ("text_tokens", pa.int32()),
        ("visual_tokens", pa.int32()),
        ("audio_tokens", pa.int32()),
        ("length", pa.int32()),
        ("grids", pa.list_(GRID)),
        ("seconds", pa.float64()),  # of sound
        ("sound_samples", pa.int64()),  # the same, exactly, at the rate of the stored sound
        ("source", pa.string()),
        ("language", pa.string()),
        ("licence", pa.string()),
    ]
)

PLACE = pa.struct([("shard", pa.int32()), ("row", pa.int32()), ("key", pa.string())])

PACKS = pa.schema(
    [
        ("pack", pa.int32()),
        ("window", pa.int32()),
        ("tokens", pa.int32()),
        ("samples", pa.list_(PLACE)),
    ]
)

# The speech of a shard's samples as a codec writes it, one utterance a row.
CODES = pa.schema(
    [
        ("key", pa.string()),
        ("row", pa.int32()),  # in the shard and its index
        ("frame_codes", pa.list_(pa.uint16())),
        ("global_codes", pa.list_(pa.uint16())),  # the voice
    ]
)

# What is dear to measure of a catalogued sample, and depends on no threshold.
HEARD = pa.struct(
    [
        ("seconds", pa.float64()),
        ("level", pa.float32()),  # root mean square in decibels of full scale
        ("clipped", pa.float32()),  # part of its samples at full scale
        ("silent", pa.float32()),  # part of it in which nothing is heard
        ("speech", pa.float32()),  # part of it in which somebody speaks; null where that was not measured
        ("band", pa.float32()),  # hertz above which nothing is heard
    ]
)

SIGNALS = pa.schema(
    [
        ("key", pa.string()),
        ("turns", pa.binary(16)),  # blake2b of the normalised turns
        ("questions", pa.binary(16)),  # the same of its questions alone
        ("media", pa.binary(16)),  # of the contents of its media, in order; null where it has none
        ("signature", pa.binary()),  # MinHash of the turns, little-endian uint32
        ("sides", pa.binary()),  # of its questions, then of its answers, uint16; null where it shows nothing
        (
            "hashes",
            pa.list_(pa.uint64()),
        ),  # perceptual, one for each picture and frame; null for one without features
        ("language", pa.string()),  # of its words, as identified; null where there are too few
        ("certainty", pa.float32()),
        ("sounds", pa.list_(HEARD)),
    ]
)

# A sample on its way to those it may equal: one row for each hash it shares with them.
MEETING = pa.schema(
    [
        ("hash", pa.uint64()),
        ("kind", pa.int8()),  # see `verdicts/meet.py`
        ("band", pa.int8()),  # which one of its bands the hash is; 0 for other kinds
        ("place", pa.int16()),  # of its source in the mixture
        ("part", pa.int32()),
        ("row", pa.int32()),  # in the catalog part and in its signals
        ("name", pa.uint64()),  # the hash in its key: with `place` the order in which samples stay
        ("twin", pa.uint64()),  # of its turns and media together
        ("other", pa.uint64()),  # of what equal samples may differ in
        ("count", pa.int32()),  # samples of its part that the row stands for
    ]
)

# Who leaves, for whom.
DUPLICATES = pa.schema(
    [
        ("leaves", pa.string()),
        ("part", pa.int32()),  # of its catalog
        ("stays", pa.string()),
        ("kind", pa.string()),  # exact, near_text or near_picture
        (
            "similarity",
            pa.float32(),
        ),  # of their turns, estimated; 1 for exact; of questions or answers the lower one
        ("distance", pa.int8()),  # the most bits in which two of their pictures differ; null for texts
    ]
)
