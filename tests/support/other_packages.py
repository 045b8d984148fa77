"""An interpreter with other versions of some packages than this one's."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import requires
from pathlib import Path

_FALL_THROUGH = "import site; site.addsitedir({!r})\n"


def supported(extra: str) -> str:
    """The range of a package that the extra of its name asks for."""
    return next(line.partition(";")[0] for line in requires("vlmops") or () if line.startswith(extra))


def python_with(folder: Path, requirement: str, *settings: str) -> Path:
    """An interpreter with that package and what it needs; all else comes from this one's packages.

    Args:
        folder: Where it is made.
        requirement: The package and its versions.
        *settings: How it is installed.
    """
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    install = ("uv", "pip", "install", "--quiet", *settings, requirement, "--python", str(python))
    subprocess.run([sys.executable, "-m", *install], check=True)
    packages = next(folder.glob("lib/*/site-packages"))
    (packages / "zz_rest.pth").write_text(_FALL_THROUGH.format(sysconfig.get_paths()["purelib"]))
    return python
