"""`python -m vita_model`: what launchers such as torchrun start."""

from __future__ import annotations

from vita_model.cli.main import main

main()
