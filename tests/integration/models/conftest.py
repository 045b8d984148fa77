import pytest
from chat_server import ChatServer


@pytest.fixture
def server():
    running = ChatServer()
    yield running
    running.close()
