"""Which file a Kaldi pipe reads: commands are recognised by their form and never run.

Format: https://kaldi-asr.org/doc/io.html (an `rxfilename` that ends in a pipe is a command). Recognised are
ffmpeg, sox, flac, sph2pipe and cat as recipes write them, as long as they only decode: one that cuts,
filters, changes the speed or picks a channel would hear something else than the file.
"""

from __future__ import annotations

import re
import shlex

from vita_data.errors import RecordError

# What a shell would act on beyond words and quotes.
_SHELL = re.compile(r"[;|&$`<>(){}\[\]*?~#!\\\n]")
_ARCHIVE = re.compile(r"\.(?:ark|scp):\d+(?:\[.*\])?$")
_OUTPUTS = frozenset(["-", "pipe:", "pipe:1", "/dev/stdout"])

# Options that leave what is heard alone: those that take a word, and those that stand alone.
_TAKES: dict[str, str] = {
    "ffmpeg": "-loglevel -v -f -ar -ac -ab -b:a -acodec -c:a -codec:a -sample_fmt -threads",
    "sox": "-t --type -r --rate -b --bits -c --channels -e --encoding",
    "flac": "",
    "sph2pipe": "-f",
    "cat": "",
}
_ALONE: dict[str, str] = {
    "ffmpeg": "-nostdin -hide_banner -y -vn -nostats -bitexact",
    "sox": "-q -G -D -R -S -V -V0 -V1 -V2 -V3 -L -B --no-show-progress --guard --no-dither",
    "flac": "-c -d -s -cd -dc -cs -sc -ds -sd -cds -csd -dcs -dsc -scd -sdc --stdout --decode --silent",
    "sph2pipe": "-p",
    "cat": "-u",
}


def file_of(rxfilename: str) -> str:
    """The file that an entry of wav.scp names or that its command decodes.

    Raises RecordError (pipe_command) for other commands and for archives of waveforms.
    """
    name = rxfilename.strip()
    if _ARCHIVE.search(name):
        raise RecordError(
            "pipe_command", "it names a place in a Kaldi archive, which is not read.", name[:200]
        )
    if not name.endswith("|"):
        if name.startswith("|") or name == "-":
            raise RecordError("pipe_command", "it names a stream and no file.", name[:200])
        return name
    command = name[:-1].strip()
    found = None if _SHELL.search(command) else _decoded_file(command)
    if found is None:
        raise RecordError(
            "pipe_command",
            "it is a command that is not known to decode one file; commands are never run.",
            name[:200],
        )
    return found


def _decoded_file(command: str) -> str | None:
    try:
        program, *arguments = shlex.split(command)
    except ValueError:
        return None
    program = program.rpartition("/")[2]
    if program not in _TAKES:
        return None
    inputs, operands = [], []
    words = iter(arguments)
    for word in words:
        if program == "ffmpeg" and word == "-i":
            inputs.append(next(words, "-"))
        elif word in _TAKES[program].split():
            if next(words, None) is None:
                return None
        elif word.startswith("-") and word not in _ALONE[program].split() and word != "-":
            return None
        elif word == "-" or not word.startswith("-"):
            operands.append(word)
    found = _operands_to_file(program, inputs, operands)
    return None if found is None or found.startswith("-") else found


def _operands_to_file(program: str, inputs: list[str], operands: list[str]) -> str | None:
    """The one file that is read, when what is written is the standard output and nothing else happens."""
    if program == "ffmpeg":
        return inputs[0] if len(inputs) == 1 and len(operands) == 1 and operands[0] in _OUTPUTS else None
    if program == "sox":  # effects follow the output; `rate` makes what is asked for anyway
        known = len(operands) == 2 or (
            len(operands) == 4 and operands[2] == "rate" and operands[3][:1].isdigit()
        )
        return operands[0] if known and operands[1] == "-" else None
    if program == "sph2pipe":  # a second operand would be the output
        operands = operands[:1] if operands[1:] in ([], ["-"]) else []
    return operands[0] if len(operands) == 1 else None
