"""`python -m vita_data`: the command, for those who know the interpreter only."""

from __future__ import annotations

from vita_data.cli.main import main

main()
