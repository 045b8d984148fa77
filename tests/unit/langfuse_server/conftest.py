import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from langfuse_server.fixtures import langfuse_server  # noqa: E402

__all__ = ["langfuse_server"]
