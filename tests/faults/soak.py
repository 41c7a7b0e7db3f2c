"""PYTHONPATH=. python tests/faults/soak.py [--kills=200] [--cases=2500] [--out=docs/reliability.md]

Kills runs at random moments and starts them again, feeds hostile input (so many cases a test) to
whatever reads input, and writes what was counted as a page, and as JSON beside it. `make soak` runs
it; about half an hour on 2 cores. Ends with exit code 1, and writes nothing, if a run was not what
it would have been unkilled or an input got through.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jaxact.runs.process import environment
from jaxact.runs.records import record_files
from tests.support import killing
from tests.support.commands import Commands
from tests.support.paths import ROOT

SHARES = {"small_cnn": 0.9, "vgg11": 0.1}  # of the kills
HOSTILE = ("tests/test_hostile_input.py", "tests/data/formats/test_hostile_files.py")


def soak_kills(kills: int, seed: int) -> list[dict[str, Any]]:
    """A row a network; raises AssertionError where a run ended in something else."""
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Commands({"JAX_COMPILATION_CACHE_DIR": str(Path(folder, "cache"))}) as commands,
    ):
        for name, share in SHARES.items():
            place = Path(folder, name)
            place.mkdir()
            count = max(round(kills * share), 1)
            tally = killing.kill_and_resume(commands, killing.CASES[name], place, count, seed)
            rows.append({"network": name, **dict(sorted(tally.kills.items())), "runs": tally.runs})
    return rows


def soak_input(cases: int) -> list[dict[str, Any]]:
    """A row a test file: its tests, and the cases that hypothesis says it made.

    Raises:
      AssertionError: a test failed.
    """
    rows = []
    for name in HOSTILE:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--hypothesis-show-statistics", name],
            env=os.environ | {"JAXACT_FUZZ_EXAMPLES": str(cases)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        made = sum(map(int, re.findall(r"- (\d+) passing,", done.stdout)))
        assert made >= cases, f"{name}: hypothesis tells of {made} cases:\n{done.stdout[-3000:]}"
        rows.append({"tests": name, "cases": made})
    return rows


def as_page(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    known = figures["environment"]
    kinds = sorted({kind for row in figures["kills"] for kind in row} - {"network", "runs"})
    lines = [
        "# What the fault tests counted",
        "",
        "Written by `make soak` (`tests/faults/soak.py`); a failure leaves no page.",
        "",
        f"{known['cpu_model']}, {known['cpu_count']} cores, {known['operating_system']}; "
        f"Python {known['python']}, JAX {known['jax']}, Flax {known['flax']}, "
        f"Optax {known['optax']}, Orbax {known['orbax']}; commit {known['git_commit']}"
        f"{', with changes' if known['git_dirty'] else ''}; seed {figures['seed']}, "
        f"{figures['minutes']:.0f} minutes.",
        "",
        "## Processes killed",
        "",
        "SIGKILL at a random moment of a run's life, and the run started again, until there were "
        "so many. Every run ended in the parameters, the optimizer's state and the metrics rows "
        "(times aside) of one that was never killed, bit for bit, with clocks that never go back.",
        "",
        f"| network | {' | '.join(f'killed {kind}' for kind in kinds)} | runs compared |",
        f"|---|{'---:|' * (len(kinds) + 1)}",
    ]
    for row in figures["kills"]:
        counts = " | ".join(str(row.get(kind, 0)) for kind in kinds)
        lines.append(f"| {row['network']} | {counts} | {row['runs']} |")
    total = sum(row.get(kind, 0) for row in figures["kills"] for kind in kinds)
    lines += [
        "",
        f"{total} kills in all.",
        "",
        "## Hostile input",
        "",
        "Made up by hypothesis: each was accepted as what it says, or refused with one line.",
        "",
        "| tests | cases |",
        "|---|---:|",
        *(f"| `{row['tests']}` | {row['cases']:,} |" for row in figures["input"]),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--cases", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "reliability.md")
    options = parser.parse_args()
    begin = time.monotonic()
    try:
        with ThreadPoolExecutor(2) as pool:  # each keeps one core busy
            hostile = pool.submit(soak_input, options.cases)
            kills = pool.submit(soak_kills, options.kills, options.seed).result()
            hostile = hostile.result()
    except AssertionError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    figures = {
        "environment": environment.describe(),
        "seed": options.seed,
        "minutes": (time.monotonic() - begin) / 60,
        "kills": kills,
        "input": hostile,
    }
    record_files.write_text(options.out, as_page(figures))
    record_files.write_text(options.out.with_suffix(".json"), json.dumps(figures, indent=2) + "\n")
    print(f"written: {options.out} and {options.out.with_suffix('.json')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
