"""The chat template: ChatML blocks, labels on answers only, pictures where their placeholders were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.errors import RecordError
from vita_data.prompt.template import (
    SYSTEM_PROMPTS,
    TEMPLATE_VERSION,
    MediumPiece,
    Modality,
    Piece,
    TextPiece,
    Turn,
    count_placeholders,
    encode_chat,
    normalise_placeholders,
    template_digest,
)
from vita_data.prompt.tokenizer import CUT, FULL, load_tokenizer
from vita_data.records.key import digest_of

TOKENIZER = load_tokenizer(CUT)
VALUES = st.lists(
    st.sampled_from(["<image>", "<video>", "\n", " ", "What?", "\r\n", "Why so", "<im"]), max_size=8
)


def _turns(*values: str) -> list[Turn]:
    return [{"from": "gpt" if n % 2 else "human", "value": value} for n, value in enumerate(values)]


def _text(pieces: list[Piece]) -> str:
    """What a model reads, with [n] for pictures and {braces} around what it learns."""
    shown = []
    for piece in pieces:
        if isinstance(piece, MediumPiece):
            shown.append(f"[{piece.index}]" if piece.kind == "image" else f"[{piece.kind} {piece.index}]")
        else:
            text = TOKENIZER.decode(piece.ids)
            shown.append(f"{{{text}}}" if piece.labelled else text)
    return "".join(shown)


def _head(modality: str) -> str:
    prompts = {str(name): text for name, text in SYSTEM_PROMPTS.items()}
    return f"<|im_start|>system\n{prompts[modality]}<|im_end|>\n"


def test_a_conversation_is_chatml_with_labels_on_answers_and_their_end_alone() -> None:
    assert _text(encode_chat(_turns("Hi", "Hello.", "And?", "Bye."), TOKENIZER)) == (
        _head("lang") + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n{Hello.<|im_end|>}\n"
        "<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\n{Bye.<|im_end|>}"
    )


def test_pictures_stand_where_their_placeholders_were_each_followed_by_one_newline() -> None:
    turns = _turns("Look:\n<image>\n\nand <image>.", "Two.", "<image>", "Three.")
    assert _text(encode_chat(turns, TOKENIZER)) == (
        _head("image") + "<|im_start|>user\nLook:[0]\nand [1]\n.<|im_end|>\n<|im_start|>assistant\n"
        "{Two.<|im_end|>}\n<|im_start|>user\n[2]<|im_end|>\n<|im_start|>assistant\n{Three.<|im_end|>}"
    )
    assert count_placeholders(turns) == {"image": 3, "video": 0, "audio": 0}


def test_films_and_sounds_are_counted_each_by_themselves() -> None:
    turns = _turns("<video>\n<image>\n<audio>", "A.", "<audio>\n<video> And this?", "B.")
    assert _text(encode_chat(turns, TOKENIZER)) == (
        _head("video")
        + "<|im_start|>user\n[video 0]\n[0]\n[audio 0]<|im_end|>\n<|im_start|>assistant\n{A.<|im_end|>}\n"
        "<|im_start|>user\n[audio 1]\n[video 1]\n And this?<|im_end|>\n<|im_start|>assistant\n{B.<|im_end|>}"
    )
    assert count_placeholders(turns) == {"image": 1, "video": 2, "audio": 2}


def test_a_placeholder_in_an_answer_is_ordinary_text() -> None:
    pieces = encode_chat(_turns("Which tag?", "Use <image> here."), TOKENIZER)
    assert _text(pieces).startswith(_head("lang"))
    assert not any(isinstance(piece, MediumPiece) for piece in pieces)
    assert TOKENIZER.decode(pieces[-1].ids) == "Use <image> here.<|im_end|>"  # type: ignore[union-attr]


def test_control_words_in_a_turn_do_not_end_it() -> None:
    pieces = encode_chat(_turns("a<|im_end|>b", "c<|im_end|>d"), TOKENIZER)
    ids = [token for piece in pieces if isinstance(piece, TextPiece) for token in piece.ids]
    assert ids.count(TOKENIZER.im_end) == 3


@given(
    first=st.text(max_size=20).filter(lambda words: "<audio>" not in words),
    answer=st.text(max_size=20),
    state=st.booleans(),
)
def test_training_starts_an_answer_from_the_ids_generation_starts_from(
    first: str, answer: str, state: bool
) -> None:
    turns = _turns(first, answer)
    prompt = encode_chat(turns[:1], TOKENIZER, state)
    pieces = encode_chat(turns, TOKENIZER, state)
    assert pieces[:-1] == prompt
    opening = (TOKENIZER.state_tokens["text"],) if state else ()
    assert pieces[-1] == TextPiece((*opening, *TOKENIZER.encode(answer), TOKENIZER.im_end), True)


def test_the_header_before_an_answer_is_qwens() -> None:
    full = load_tokenizer(FULL)
    (prompt,) = encode_chat(_turns("Hello"), full)
    assert isinstance(prompt, TextPiece)
    assert prompt.ids[-10:] == (198, 151644, 872, 198, 9707, 151645, 198, 151644, 77091, 198)


def test_state_tokens_say_what_is_answered() -> None:
    pieces = encode_chat(_turns("<audio>", "One.", "Written", "Two."), TOKENIZER, state_tokens=True)
    answers = [piece.ids for piece in pieces if isinstance(piece, TextPiece) and piece.labelled]
    assert [ids[0] for ids in answers] == [TOKENIZER.state_tokens["reply"], TOKENIZER.state_tokens["text"]]


@pytest.mark.parametrize(
    ("inserted_id", "states"), [(1, "noise text"), (3, "reply noise"), (9, "reply text")]
)
def test_the_answer_to_what_was_not_meant_for_the_model_opens_with_noise(
    inserted_id: int, states: str
) -> None:
    turns = _turns("<audio>", "One.", "Written", "Two.")
    pieces = encode_chat(turns, TOKENIZER, state_tokens=True, inserted_id=inserted_id)
    answers = [piece.ids for piece in pieces if isinstance(piece, TextPiece) and piece.labelled]
    assert [ids[0] for ids in answers] == [TOKENIZER.state_tokens[state] for state in states.split()]
    assert encode_chat(turns, TOKENIZER, inserted_id=inserted_id) == encode_chat(turns, TOKENIZER)


def test_what_answers_noise_can_end_at_once_and_then_its_words_do_not_matter() -> None:
    turns = _turns("<audio>", "One.", "<audio>", "Two.")
    ended = encode_chat(turns, TOKENIZER, state_tokens=True, inserted_id=1, noise_ends=True)
    answers = [piece.ids for piece in ended if isinstance(piece, TextPiece) and piece.labelled]
    assert answers[0] == (TOKENIZER.state_tokens["noise"], TOKENIZER.im_end)
    assert answers[1] == (TOKENIZER.state_tokens["reply"], *TOKENIZER.encode("Two."), TOKENIZER.im_end)
    other = [turns[0], {"from": "gpt", "value": "Something else entirely."}, *turns[2:]]
    assert encode_chat(other, TOKENIZER, state_tokens=True, inserted_id=1, noise_ends=True) == ended
    kept = encode_chat(turns, TOKENIZER, state_tokens=True, noise_ends=True)
    assert kept == encode_chat(turns, TOKENIZER, state_tokens=True)


def test_a_caller_who_knows_of_a_film_gets_its_system_prompt() -> None:
    pieces = encode_chat(_turns("<image><image>What happens?", "Rain."), TOKENIZER, modality="video")
    assert _text(pieces).startswith(_head("video"))


def test_neighbouring_unlabelled_runs_are_one_piece() -> None:
    kinds = [
        (type(piece), isinstance(piece, TextPiece) and piece.labelled)
        for piece in encode_chat(_turns("a", "b", "c", "d"), TOKENIZER)
    ]
    assert kinds == [(TextPiece, False), (TextPiece, True)] * 2


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(RecordError) as refusal:
        encode_chat([{"from": "narrator", "value": "x"}], TOKENIZER)
    assert (refusal.value.rule, refusal.value.value) == ("unknown_role", "narrator")


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ("What is this?\n<image>", "<image>\nWhat is this?"),
        ("What is this? <image> \n", "<image>\nWhat is this?"),
        ("Which differs?<image><image>", "<image>\n<image>\nWhich differs?"),
        ("<image>\nWhich differs?\n<image>", "<image>\n<image>\nWhich differs?"),
        ("What happens?\n<video>", "<video>\nWhat happens?"),
        ("<image>\nWhat is this?", "<image>\nWhat is this?"),
        ("First <image> then <image>", "First <image> then <image>"),
        ("<image>", "<image>"),
        ("No picture", "No picture"),
        ("", ""),
    ],
)
def test_placeholders_at_the_end_move_to_the_front(value: str, normal: str) -> None:
    assert normalise_placeholders(value) == normal


@given(parts=VALUES)
def test_normalising_twice_changes_nothing_and_loses_nothing(parts: list[str]) -> None:
    value = "".join(parts)
    normal = normalise_placeholders(value)
    assert normalise_placeholders(normal) == normal
    for word in ("<image>", "<video>", "What?", "Why so"):
        assert normal.count(word) == value.count(word)


def test_the_digest_depends_on_state_tokens_and_on_what_answers_noise() -> None:
    assert template_digest(True) == template_digest(True) != template_digest(False)
    assert template_digest(True, noise_ends=True) not in (template_digest(True), template_digest(False))


def test_the_ids_change_only_with_the_version() -> None:
    turns = _turns("<image>\nWhat is it?", "A fox.", "<audio>", "图中有雪。")
    modalities: list[Modality] = ["image", "video", "lang"]
    pieces = [repr(encode_chat(turns, TOKENIZER, True, modality)) for modality in modalities]
    assert (TEMPLATE_VERSION, digest_of(pieces)) == (3, "4290a27b1a7281c2")
