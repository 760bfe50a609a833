"""WAV, AIFF, AU, NIST and FLAC by libsndfile, which finds any sample of them exactly and fast.

Not Ogg Vorbis: after a seek near the end of a file libsndfile 1.2 gives samples from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import soundfile

from vita_data.media.sound_declared import samples_in_wav_header
from vita_data.media.sound_source import SoundSource
from vita_data.media.sound_track import Block, check_shape

_VALUES_PER_BLOCK = 1 << 20  # soundfile seeks after every read, which is dear in FLAC
_UNKNOWN_FRAMES = 1 << 48
_SIGNATURES = (b"FORM", b".snd", b"NIST_1A", b"fLaC")


class DamagedError(Exception):
    """libsndfile cannot open the file, or stopped in the middle; another decoder may get further."""


def is_file_of_samples(head: bytes) -> bool:
    """Whether the first bytes of a file are of a format that this module reads."""
    if head.startswith((b"RIFF", b"RIFX", b"RF64")):
        return head[8:12] == b"WAVE"
    return head.startswith(_SIGNATURES)


class FileTrack:
    """A file of samples; every cut stands for itself. DamagedError where libsndfile gives up."""

    forgets = True
    lost = 0

    def __init__(self, file: SoundSource, head: bytes) -> None:
        file.seek(0)
        try:
            self._file = soundfile.SoundFile(file)
        except (soundfile.LibsndfileError, ValueError, TypeError) as error:
            raise DamagedError from error
        self.rate, self.channels = check_shape(self._file.samplerate, self._file.channels)
        frames = self._file.frames
        if frames <= 0:  # nothing there, or a header that was never finished
            raise DamagedError
        self.end = 0
        self.declared: int | None = None
        if frames < _UNKNOWN_FRAMES:
            self.declared = max(frames, samples_in_wav_header(head) or 0)

    def blocks(self, first: int, count: int) -> Iterator[Block]:
        """Yields `count` samples from number `first` on, at most a million values at a time."""
        size = max(1, min(count, _VALUES_PER_BLOCK // self.channels))
        try:
            if not self._file.seekable():
                raise DamagedError
            self.end = self._file.seek(min(first, self._file.frames))
            while count and len(block := self._file.read(min(size, count), "float32", always_2d=True)):
                self.end += len(block)
                count -= len(block)
                yield block
        except (soundfile.LibsndfileError, ValueError) as error:
            raise DamagedError from error

    def close(self) -> None:
        """Lets go of libsndfile's state."""
        self._file.close()
