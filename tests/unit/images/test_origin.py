from __future__ import annotations

import errno
import os
import socket

import pytest
from bad_images import usable_image

from vlmops.errors import ImageError
from vlmops.images import Image, ImageLimits


def problem_of(path, **options):
    with pytest.raises(ImageError) as caught:
        Image.from_path(path, **options).read()
    assert caught.value.fix
    return caught.value.problem


def test_a_path_through_a_file_does_not_exist(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    assert "a part of its path is a file" in problem_of(tmp_path / "file" / "a.png")


def test_devices_and_sockets_are_refused_without_being_read(tmp_path, monkeypatch):
    assert problem_of("/dev/zero") == "is a character device, not a regular file"
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.png")
        assert problem_of("s.png") == "is a socket, not a regular file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(usable_image("plain.png"))
    path.chmod(0)
    assert "permission denied" in problem_of(path)


@pytest.mark.parametrize(
    ("number", "problem"),
    [(errno.EACCES, "permission denied"), (errno.EIO, "cannot be read: Input/output error")],
)
def test_errors_of_the_system_are_explained(tmp_path, monkeypatch, number, problem):
    path = tmp_path / "a.png"
    path.write_bytes(usable_image("plain.png"))

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("vlmops.images.origin.os.open", fail)
    assert problem in problem_of(path)


def test_a_null_character_is_no_path():
    assert "null character" in problem_of("a\0.png")


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "sparse.png"
    with path.open("wb") as stream:
        stream.truncate(600 * 1024 * 1024)
    assert "more than the limit of 536,870,912" in problem_of(path)
    assert "more than the limit of 10" in problem_of(path, limits=ImageLimits(max_bytes=10))


def test_a_link_to_a_picture_is_a_picture(tmp_path):
    (tmp_path / "a.png").write_bytes(usable_image("plain.png"))
    (tmp_path / "link.png").symlink_to("a.png")
    assert Image.from_path(tmp_path / "link.png") == Image.from_path(tmp_path / "a.png")


def test_a_path_with_spaces_and_other_letters(tmp_path):
    path = tmp_path / "Größe 1#?%41.png"
    path.write_bytes(usable_image("plain.png"))
    for given in (str(path), path.as_uri(), path.as_uri().replace("file://", "file://localhost")):
        image = Image.of(given)
        assert image.size == (61, 40)
        assert image.source == str(path)
