"""The page that says whose work the corpus holds."""

from __future__ import annotations

from vita_data.sample.photographs import PHOTOGRAPHS


def licences() -> str:
    """LICENCES.md: the photographs one by one, and everything else."""
    rows = [f"| {p.file} | {p.place[1]} | {p.licence} | {p.credit} |" for p in PHOTOGRAPHS]
    lines = [
        "# Licences of the sample corpus",
        "",
        "Every word, chart, table, receipt, sign and page in this folder was made by the program that",
        "wrote it and is dedicated to the public domain (CC0-1.0). Fonts were used to draw them and are",
        "not part of it. Films are made of the photographs below; speech was spoken by espeak-ng, tones by",
        "the program.",
        "",
        "The photographs are crops of files that come with these packages:",
        "",
        "| file | package | licence | credit |",
        "|---|---|---|---|",
        *rows,
        "",
        "CC-BY-2.0: https://creativecommons.org/licenses/by/2.0/",
        "",
    ]
    return "\n".join(lines)
