"""``python -m vlmops.evaluators.verify FILE [FILE...]``: exit 0 if all agree, 1 if not, 2 for a bad file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vlmops.evaluators.verify.report import verify_files
from vlmops.evaluators.verify.vector import VectorsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the files named on the command line and write the report; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m vlmops.evaluators.verify",
        description="Compare our metrics with stored values of reference implementations.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a JSON list of vectors")
    try:
        report = verify_files(parser.parse_args(arguments).files)
    except VectorsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in report.lines())
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
