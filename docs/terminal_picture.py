"""python docs/terminal_picture.py OUT.svg COMMAND...: a command's terminal output as a picture.

Runs the command and renders the end of its output, colours included, with rich.
"""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 96, 52


def main(out: str, *command: str) -> None:
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, text=True, check=True)
    shown = done.stdout.rstrip().splitlines()[-LINES:]
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text(f"$ {' '.join(command)}".replace(sys.executable, "python"), style="bold"))
    console.print(Text.from_ansi("\n".join(shown)))
    svg = console.export_svg(title="jaxact")
    # The picture needs no network: the fonts are those of the reader's machine.
    Path(out).write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))


if __name__ == "__main__":
    main(*sys.argv[1:])
