"""Scores as tables for people."""

from __future__ import annotations

from typing import Any

SHARES = ("exact_match", "wer", "cer", "token_accuracy", "mel_1024", "loss")


def stage_table(found: dict[str, Any]) -> str:
    """A line a source and one for all of them, then shares by how it was asked and the recall of states."""
    rows = [(name, scores) for name, scores in [*found["sources"].items(), ("all", found["total"])]]
    shown = [name for name in SHARES if any(scores.get(name) is not None for _, scores in rows)]
    head = f"{'source':28}{'samples':>9}{'answers':>9}" + "".join(f"{name:>16}" for name in shown)
    lines = [head]
    for name, scores in rows:
        cells = "".join(f"{_number(column, scores.get(column)):>16}" for column in shown)
        interval = scores.get("interval")
        around = f"   95 % {_span(interval)}" if interval else ""
        lines.append(f"{name:28}{scores['samples']:>9,}{scores['questions']:>9,}{cells}{around}")
    for way, scores in found["total"].get("asked", {}).items():
        lines.append(f"{way}: {_share(scores['exact_match'], scores['interval'], scores['answered'])}")
    for name in ("state_tokens", "state_head"):
        for part, recalls in found["total"].get(name, {}).items():
            for state, one in recalls.items():
                where = f"{name.replace('_', ' ')}, {part}, {state}"
                lines.append(f"{where}: {_share(one['recall'], one['interval'], one['questions'])}")
    for name, value in found["total"].get("code_use", {}).items():
        lines.append(f"{name.replace('_', ' ')}: {value:.3f}")
    if "against" in found:
        beside = found["against"]
        lines.append(
            f"against: {100 * beside['difference']:+.2f} points, 95 % {_span(beside['interval'])}, McNemar's p "
            f"{beside['p']:.4f}, over {beside['questions']:,} questions of both"
        )
    return "\n".join(lines)


def speech_table(found: dict[str, Any]) -> str:
    """A line a speaker for each way of writing, and one for all of them."""
    what = f"{found['recordings']:,} recordings of {found['speech']}"
    if found["strings"] is not None:
        what += f", in {found['strings']:,} strings of one to five drawn by seed {found['seed']}"
    lines = [what]
    for way, name in (("ctc", "speech encoder (CTC)"), ("lm", "language model")):
        if way not in found:
            lines.append(f"{name}: not learned yet")
            continue
        lines.append(f"{name:28}{'utterances':>11}{'words':>9}{'WER':>9}{'CER':>9}{'no error':>10}")
        whole = found[way]["total"]
        for who, scores in [*found[way]["speakers"].items(), ("all", whole)]:
            rates = "".join(f"{_percent(scores[rate]):>9}" for rate in ("wer", "cer"))
            right, interval = _percent(scores["without_error"]), scores["interval"]
            around = f"   WER 95 % {_span(interval)}" if interval else ""
            lines.append(
                f"{who:28}{scores['utterances']:>11,}{scores['words']:>9,}{rates}{right:>10}{around}"
            )
        if whole.get("interval_speakers"):
            lines.append(f"{'over speakers':28}{'':48}   WER 95 % {_span(whole['interval_speakers'])}")
    for one in found["unread"]:
        lines.append(f"not scored: {one['file']}: {one['reason']}")
    if found["unread"]:
        lines.append(f"{len(found['unread']):,} not scored")
    return "\n".join(lines)


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if name in ("loss", "mel_1024") else _percent(value)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _span(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.2f} to {100 * interval[1]:.2f}"


def _share(share: float | None, interval: tuple[float, float] | None, count: int) -> str:
    around = f" (95 % {_span(interval)})" if interval else ""
    return f"{_percent(share)}{around} of {count:,}"
