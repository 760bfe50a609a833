"""`vita-data show`: records readable in a terminal."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from vita_data.cli.output import for_terminal, json_option, print_json, size


@click.command()
@click.argument("what")
@click.option("--out", default="vita-build", show_default=True, help="The build to look for a key in.")
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="How many records of a shard to show.",
)
@json_option
def show(what: str, out: str, number: int, as_json: bool) -> None:
    """Show the first records of a shard (a .tar file), or the sample with a key."""
    records = list(_of_shard(what, number) if what.endswith(".tar") else _of_key(what, out))
    if as_json:
        print_json({"records": [{**record, "members": members} for record, members in records]})
        return
    for record, members in records:
        click.echo(_readable(record, members))


def _of_shard(path: str, number: int) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    from vita_data import files
    from vita_data.errors import ShardError
    from vita_data.shards.tar import walk

    if not files.exists(path):
        raise ShardError(f"there is no shard {path}; shards lie in OUT/stages/S/shards.")
    with files.open_read(path) as stream:
        record: dict[str, Any] | None = None
        members: dict[str, int] = {}
        for name, offset, length in walk(stream):
            if name.endswith(".json"):
                if record is not None:
                    yield record, members
                    number -= 1
                if not number:
                    return
                stream.seek(offset)
                record, members = json.loads(stream.read(length)), {}
            members[name] = length
        if record is not None:
            yield record, members


def _of_key(key: str, out: str) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    import pyarrow.compute as pc

    from vita_data import files
    from vita_data.catalog.merge import part_name
    from vita_data.errors import UsageError
    from vita_data.shards.remeasure import members_of

    folder = files.join(out, "catalog", key.rsplit("-", 1)[0])
    summary = files.join(folder, "source.json")
    for part in files.read_json(summary)["parts"] if files.exists(summary) else ():
        table = files.read_table(files.join(folder, part_name(part)), ["key", "record", "media"])
        row = pc.index(table.column("key"), key).as_py()
        if row >= 0:
            record = json.loads(table.column("record")[row].as_py())
            media = table.column("media")[row].as_py()
            yield (
                record,
                {
                    f"{name}  <- {m['native']}": m["length"]
                    for name, m in zip(members_of(record), media, strict=True)
                },
            )
            return
    raise UsageError(
        f"no catalog of {out} keeps {key}; `vita-data why {key} --out {out}` says what happened to it."
    )


def _readable(record: dict[str, Any], members: dict[str, int]) -> str:
    width = min(100, os.get_terminal_size().columns if os.isatty(1) else 100)
    facts = f"{record['type']}, {record['language']}, {record['licence']}, native id {json.dumps(record['native_id'])}"
    lines = [click.style(record["id"], bold=True), f"  {facts}"]
    told = [f"{name} {for_terminal(str(record[name]))}" for name in ("split", "speaker") if record.get(name)]
    lines += [f"  {', '.join(told)}"] if told else []
    media = ((name, length) for name, length in members.items() if not name.endswith(".json"))
    lines += [f"  [{size(length)}] {for_terminal(name)}" for name, length in media]
    heard = {
        said["turn"]: f" ({said['voice']}: {said['text']})" for said in record["spoken"] if "text" in said
    }
    for number, turn in enumerate(record["conversations"]):
        said = textwrap.fill(
            for_terminal(turn["value"] + heard.get(number, "")),
            width,
            initial_indent=f"  {turn['from']:>5}: ",
            subsequent_indent=" " * 9,
        )
        lines.append(said)
    return "\n".join(lines) + "\n"
