"""A stage's samples scored by what the stage teaches: answers, transcripts, codec tokens or the codec itself.

A score is made of lines, one for each answer that is wanted, which stand in answers.jsonl:

    {key, turn, source, type}                       which answer of which sample
    {asked, heard, question, wanted, got}           asked "spoken", "written" or "noise"; got null where not asked
    {loss, tokens, hits}                            nats over the wanted tokens, and how many were the likeliest
    {right}                                         of an answer
    {words, word_errors, characters, character_errors}    of a transcript
    {state, state_wanted, head, head_wanted}        in stages that learn states
    {mel_*, frame_codes, global_codes, codes}       of a clip that went through the codec
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from vita_data import files
from vita_data.errors import UsageError
from vita_data.records.canon import canonical
from vita_data.shards.read import Place, Stage
from vita_model.batch.clauses import Clauses
from vita_model.batch.readers import Conversations, Reader, Transcripts
from vita_model.eval.answers import Examiner, Line
from vita_model.eval.codec import codec_lines
from vita_model.eval.spoken import spoken_lines
from vita_model.eval.transcripts import Listener
from vita_model.eval.without import Without
from vita_model.nets.vita import Vita

ANSWERS = "answers.jsonl"


def score(
    model: Vita,
    reader: Reader | None,
    stage: Stage,
    places: Sequence[Place],
    without: Without | None = None,
    heads: bool = True,
) -> list[Line]:
    """The lines of these samples, in their order; without a reader they are clips for the codec.

    `heads` lets the state head be asked where the stage teaches it. The model is in eval mode while it is scored
    and afterwards as it was. UsageError for something to do without that these samples do not have.
    """
    trained = model.training
    model.eval()
    try:
        if isinstance(reader, Conversations):
            asked = Examiner(model, reader.encoder, heads and reader.states, without, reader.left_out)
            return asked.lines(stage, places)
        if isinstance(reader, Transcripts) and without != "sight":
            return Listener(model, reader.characters, without, reader.left_out).lines(stage, places)
        if without:
            raise UsageError(
                f"stage {stage.plan['stage']} has nothing that it could be asked without {without}."
            )
        if isinstance(reader, Clauses):
            return spoken_lines(model, reader, stage, places)
        return codec_lines(model.codec, stage, places)
    finally:
        model.train(trained)


def write_answers(folder: Path, lines: Iterable[Line]) -> None:
    """Leaves lines in a folder, as answers.jsonl."""
    text = "".join(canonical(line) + "\n" for line in lines)
    files.write_bytes(str(folder / ANSWERS), text.encode())
