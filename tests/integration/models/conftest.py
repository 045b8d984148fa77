from importlib.util import find_spec

import pytest
from chat_server import ChatServer

# ``test_litellm`` runs it in an interpreter that has the package.
collect_ignore = [] if find_spec("litellm") else ["real_litellm.py"]


@pytest.fixture
def server():
    running = ChatServer()
    yield running
    running.close()
