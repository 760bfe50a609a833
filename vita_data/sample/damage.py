"""Bytes that no reader can use, each broken in one known way."""

from __future__ import annotations

import struct
import zlib

from vita_data.sample.chance import rng

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def cut_short(data: bytes) -> bytes:
    """The first 60 % of a file, as a broken download leaves it."""
    return data[: len(data) * 6 // 10]


def bomb() -> bytes:
    """A PNG of under 100 bytes that declares 40,000 x 40,000 pixels."""
    return _png(40_000, 40_000, zlib.compress(bytes(64), 9))


def scrambled() -> bytes:
    """A PNG that is whole, every chunk with its right checksum, but whose pixel data are noise."""
    return _png(96, 96, rng("scrambled").randbytes(900))


def page_of_errors() -> bytes:
    """The web page that a server sends in place of a picture."""
    return b"<!doctype html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"


def _png(width: int, height: int, pixels: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return PNG_SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
