"""Pictures and stores for the tests of the media package."""

from __future__ import annotations

import io
import uuid

import pytest
from PIL import Image

from vlmops.media import FolderStore, ObjectStore


def encoded(width=400, height=300, *, mode="RGB", colour=None, kind="PNG", **options):
    """An encoded picture of one colour."""
    file = io.BytesIO()
    Image.new(mode, (width, height), colour or 0).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def encode():
    return encoded


@pytest.fixture
def png():
    return encoded()


@pytest.fixture
def folder_store(tmp_path):
    return FolderStore(tmp_path / "media", durable=False)


@pytest.fixture
def memory_store():
    return ObjectStore(f"memory://{uuid.uuid4().hex}")


@pytest.fixture(params=["folder", "memory", "renaming"])
def store(request, tmp_path):
    """Each kind of store: the renaming one stands for filesystems without atomic writes."""
    if request.param == "folder":
        return FolderStore(tmp_path / "media", durable=False)
    if request.param == "memory":
        return ObjectStore(f"memory://{uuid.uuid4().hex}")
    return ObjectStore(f"local://{tmp_path}/remote")
