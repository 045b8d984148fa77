"""Keep uv.lock and the pip requirement files exported from it current.

``python requirements/lock.py`` writes them; ``--check`` fails when they are behind ``pyproject.toml``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETS = {"demo": ["--extra", "demo", "--no-dev"], "dev": ["--extra", "all", "--group", "dev"]}


def uv(*arguments: str) -> str:
    """Run uv in the project and give what it printed."""
    command = [sys.executable, "-m", "uv", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


def exported(name: str) -> str:
    """The requirement file of one set, as the lock has it."""
    return uv(
        "export",
        "--frozen",
        "--format=requirements.txt",
        "--no-hashes",
        "--no-annotate",
        "--no-header",
        "--no-emit-project",
        *SETS[name],
    )


def main() -> int:
    """Write or check the lock files."""
    check = "--check" in sys.argv[1:]
    uv("lock", "--quiet", *(["--check"] if check else []))
    for name in SETS:
        file = ROOT / "requirements" / f"{name}.txt"
        text = exported(name)
        if not check:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            sys.stderr.write(f"{file.relative_to(ROOT)} is behind uv.lock: run 'make lock'\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
