"""What each rule of the build means, for somebody who has never seen its code."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """A rule in three or four words, and why it refuses a record."""

    title: str
    why: str


REASONS = {
    "not_json": Reason(
        "Not JSON", "The place in the annotation file where a record should be does not parse."
    ),
    "not_utf8": Reason(
        "Not UTF-8 text", "The record holds bytes that are no text, so nobody knows what it says."
    ),
    "not_a_record": Reason(
        "Not a record", "Something is there, but it is not a conversation of the expected shape."
    ),
    "annotation_cut": Reason(
        "Annotations cut off", "The file of annotations ends here, in the middle of a record."
    ),
    "other_split": Reason("Another split", "The record belongs to a split that the card does not ask for."),
    "other_subset": Reason(
        "Another subset", "The record belongs to a subset that the card does not ask for."
    ),
    "ambiguous_id": Reason(
        "Id used twice", "The corpus gives the id two meanings, so nobody knows which is meant."
    ),
    "pipe_command": Reason(
        "A command for a file", "A shell command stands where a file's name should; commands are never run."
    ),
    "one_channel": Reason(
        "One channel of several", "The record means one channel of a recording with more of them."
    ),
    "media_by_url": Reason(
        "Only a web address", "The record names its medium by a web address; nothing is downloaded."
    ),
    "unfinished_answer": Reason("Answer cut short", "The record says itself that its answer was cut off."),
    "worker_died": Reason(
        "Crashed its reader", "Reading the record ended the worker twice, so it was put aside."
    ),
    "unknown_role": Reason(
        "Unknown speaker", "A turn is said by somebody who is neither the user nor the model."
    ),
    "roles_alternate": Reason(
        "Turns out of order",
        "Questions and answers must alternate, beginning with a question and ending with an answer.",
    ),
    "empty_answer": Reason("Empty answer", "There is nothing to learn from an answer without text."),
    "empty_question": Reason("Empty question", "A question says nothing and shows no picture either."),
    "placeholders_match": Reason(
        "Media and places differ",
        "The turns name more or fewer media of a kind than the record brings along.",
    ),
    "placeholder_count": Reason(
        "Media and places differ",
        "The turns name more or fewer media of a kind than the record brings along.",
    ),
    "media_missing": Reason(
        "File missing", "The record names a file that is not there; it is looked for at every build."
    ),
    "media_unreadable": Reason(
        "File not readable", "The file is there but cannot be read; it is tried again at every build."
    ),
    "media_too_large": Reason("File too large", "The file is larger than any picture should be."),
    "path_outside_root": Reason(
        "Outside the source's folder",
        "The name or a link leads out of the folder of the source, which is never followed.",
    ),
    "image_empty": Reason("Empty file", "The picture file has no bytes."),
    "image_unknown_format": Reason(
        "Not a picture", "The file's first bytes are those of no picture format that is read."
    ),
    "image_too_small": Reason("No pixels", "The picture says that it has no width or no height."),
    "image_too_many_pixels": Reason(
        "Too many pixels",
        "Decoding the picture could exhaust the memory, so it is refused by the size it declares.",
    ),
    "image_extreme_aspect": Reason(
        "Extreme shape", "The picture is so long and thin that tiles of it show nothing."
    ),
    "image_truncated": Reason(
        "Cut off", "The picture file ends before its pixels do, as a broken download leaves it."
    ),
    "image_undecodable": Reason("Broken picture", "The picture's data are damaged and do not decode."),
    "video_empty": Reason("Empty file", "The film's file has no bytes."),
    "video_no_frames": Reason("No pictures", "The file has no film in it, as one that holds sound alone."),
    "video_undecodable": Reason("Broken film", "The film's data are damaged and do not decode."),
    "video_truncated": Reason(
        "Film cut off", "Less than the wanted part of the film's stated length can be decoded."
    ),
    "video_too_long": Reason("Film too long", "Reading so long a film would hold up everything else."),
    "video_too_many_pixels": Reason(
        "Too many pixels",
        "Decoding the film could exhaust memory or time, so it is refused by the size it declares.",
    ),
    "video_extreme_aspect": Reason(
        "Extreme shape", "The film is so long and thin that frames of it show nothing."
    ),
    "clip_outside": Reason("Clip outside the film", "The clip begins or ends where the film does not reach."),
    "no_audio": Reason("No sound", "The file has no sound track."),
    "audio_empty": Reason("No sound", "The sound file, or the part of it that is meant, has no samples."),
    "audio_undecodable": Reason("Broken sound", "The sound's data are damaged and do not decode."),
    "audio_truncated": Reason("Sound cut off", "The sound file ends well before it says it does."),
    "audio_too_long": Reason("Sound too long", "The sound is longer than its source's card allows."),
    "audio_too_short": Reason("Sound too short", "The sound is too short to be heard as anything."),
    "segment_outside": Reason(
        "Segment outside the file", "The segment begins or ends where its sound file does not reach."
    ),
    "garbage_tag": Reason(
        "Not written down", "The transcript marks part of what is heard as noise, music or silence."
    ),
    "empty_transcript": Reason("Nothing said", "The transcript has no letter and no digit."),
    "transcript_unstable": Reason(
        "Coded text", "The transcript hides codes in codes, which nobody writes by mistake."
    ),
    "too_long": Reason(
        "Too long",
        "Even with one tile a picture the sample does not fit into a training sequence, and nothing is cut.",
    ),
    "no_negative": Reason(
        "No number of a turn", "Nothing says which answer of the record is to sound not meant for the model."
    ),
    "engine_failed": Reason("Not spoken", "The engine that speaks questions failed at this one."),
    "engine_crashed": Reason(
        "Engine crashed", "The process of the engine that speaks questions ended at this one."
    ),
    "engine_timed_out": Reason(
        "Engine too slow", "The engine that speaks questions was not done with this one after ten minutes."
    ),
    "audio_silent": Reason("Silence", "The engine that speaks questions gave nothing but silence."),
    "has_sound": Reason("Has sound already", "The sample's questions refer to sound that came with it."),
    "no_words": Reason("No words", "The question has no letter and no digit, so there is nothing to say."),
    "no_voice": Reason("No voice", "The mixture names no voice for the question's language."),
    "long_text": Reason("Long text", "Nobody can say so many words in the time that a question may take."),
    "quiet": Reason("Too quiet", "The sound is so quiet that nothing can have been recorded."),
    "clipped": Reason(
        "Cut off at full scale", "Much of the sound is cut off, as when the gain was too high."
    ),
    "silent": Reason("Silence", "Nearly all of the sound is silence."),
    "no_speech": Reason("No speech", "Silero's model hears too little speech in the sound."),
    "frozen_film": Reason("Stands still", "All frames of the film show the same."),
    "other_language": Reason("Another language", "The words are in a language that the source is not in."),
    "fast_speech": Reason(
        "Too many words", "Nobody says so much in the time that the sound lasts: the transcript is another's."
    ),
    "slow_speech": Reason("Too few words", "Most of what is said in the sound is not written down."),
    "repetition": Reason("Runs in circles", "An answer says the same phrases again and again."),
    "refusal": Reason("Refuses to answer", "The model that wrote the answer refused to give one."),
    "unbalanced_markup": Reason("Open markup", "An answer opens code or a formula and never closes it."),
    "long_answer": Reason("Endless answer", "Nobody answers with a book."),
    "duplicate": Reason(
        "Exact duplicate", "Its media and its turns are those of another sample, which stays."
    ),
    "near_text": Reason("Near duplicate", "Its text is nearly that of another sample, which stays."),
    "near_picture": Reason(
        "Near duplicate", "Its pictures and its turns are nearly those of another sample, which stays."
    ),
    "leak_itself": Reason(
        "A benchmark's own", "The sample is of a benchmark's split, by its split or its id."
    ),
    "leak_content": Reason("A benchmark's medium", "A medium decodes to the same as one of a benchmark."),
    "leak_picture_and_question": Reason(
        "A benchmark's question",
        "The picture is nearly one of a benchmark, and the question is its question.",
    ),
    "leak_picture": Reason("A benchmark's picture", "The picture is nearly one of a benchmark."),
    "leak_question": Reason(
        "A benchmark's question", "A benchmark's question stands in the text, long enough to be no chance."
    ),
    "film_hole": Reason("Hole in the film", "For longer than the card allows no new picture comes."),
    "narrow_band": Reason("Narrow band", "The sound has no high tones, as what was said over a telephone."),
    "ocr_failed": Reason("Not read", "The engine that reads pictures tripped over this one."),
    "ocr_disagrees": Reason(
        "Not what stands there", "Too little of the text that an answer gives was read in its pictures."
    ),
    "too_long_to_say": Reason(
        "Too long to say", "Text and speech together have more positions than the speech decoder."
    ),
    "nothing_to_say": Reason("Nothing to say", "The text has nothing in it that can be said."),
    "ctc_too_short": Reason(
        "Too short for its text",
        "The sound has fewer frames than its transcript needs, so none can be aligned.",
    ),
    "leak_recording": Reason("A benchmark's recording", "Seconds of its sound are those of a benchmark's."),
    "medium_changed": Reason(
        "Changed since it was read", "The file had other bytes, or was gone, when its shard was written."
    ),
}


def reason_of(rule: str) -> Reason:
    """The reason of a rule, given as `rule` or `step/rule`; of one that is not listed, its name."""
    rule = rule.rpartition("/")[2]
    return REASONS.get(rule) or Reason(rule.replace("_", " ").capitalize(), "")
