import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from vlmops.errors import MediaError, PrerequisiteError
from vlmops.media import FolderStore, MediaAddress, MediaNotFound, MediaStore, ObjectStore, open_store

ABSENT = MediaAddress("0" * 64, "image/png")


class TestEveryStore:
    def test_fulfils_the_port(self, store):
        assert isinstance(store, MediaStore)

    def test_gives_back_what_was_put(self, store, png):
        address = store.put(png, "image/png")

        assert store.has(address)
        assert store.size(address) == len(png)
        assert store.read(address) == png
        with store.open(address) as file:
            assert file.read(8) == png[:8]
            assert file.read() == png[8:]

    def test_put_is_idempotent(self, store, png):
        assert store.put(png, "image/png") == store.put(png, "image/png")

    def test_empty_content(self, store):
        assert store.read(store.put(b"", "image/png")) == b""

    def test_absent_picture(self, store):
        assert not store.has(ABSENT)
        for ask in (store.read, store.open, store.size):
            with pytest.raises(MediaNotFound, match=ABSENT.sha256):
                ask(ABSENT)

    def test_refuses_what_is_no_image(self, store):
        with pytest.raises(MediaError, match="text/html"):
            store.put(b"<script>", "text/html")

    def test_concurrent_writers_of_one_picture(self, store, png):
        addresses = []
        threads = [
            threading.Thread(target=lambda: addresses.append(store.put(png, "image/png"))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert addresses == [MediaAddress.of(png, "image/png")] * 8
        assert store.read(addresses[0]) == png

    def test_no_signed_url(self, store, png):
        assert store.redirect_url(store.put(png, "image/png"), timedelta(minutes=1)) is None


def files_in(root):
    return [path for path in Path(root).rglob("*") if path.is_file()]


WRITE_FOREVER = """
import os, sys
from vlmops.media import FolderStore
store = FolderStore(sys.argv[1], durable=False)
while True:
    store.put(os.urandom(300_000), "image/png")
    print("put", flush=True)
"""


class TestFolderStore:
    def test_fans_out(self, folder_store, png):
        address = folder_store.put(png, "image/png")

        path = folder_store.root / address.sha256[:2] / address.sha256[2:4] / address.name
        assert path.read_bytes() == png
        assert files_in(folder_store.root) == [path]

    def test_is_private(self, folder_store, png):
        folder_store.put(png, "image/png")

        assert folder_store.root.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in files_in(folder_store.root)} == {0o600}

    def test_group_of_an_existing_folder_may_read(self, tmp_path, png):
        (tmp_path / "shared").mkdir()
        (tmp_path / "shared").chmod(0o750)
        store = FolderStore(tmp_path / "shared")

        store.put(png, "image/png")

        assert {path.stat().st_mode & 0o777 for path in files_in(store.root)} == {0o640}

    def test_killed_writer_leaves_no_half_picture(self, tmp_path):
        root = tmp_path / "media"
        with subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, root], stdout=subprocess.PIPE) as writer:
            for _ in range(20):
                assert writer.stdout.readline()
            writer.kill()

        store = FolderStore(root)
        addresses = [
            MediaAddress.parse(path.name) for path in files_in(root) if path.parent.name != ".incoming"
        ]
        assert len(addresses) >= 20
        for address in addresses:
            assert len(store.read(address)) == 300_000

    def test_failed_write_leaves_nothing(self, folder_store, png, monkeypatch):
        def fail(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", fail)

        with pytest.raises(MediaError, match="No space left"):
            folder_store.put(png, "image/png")

        assert files_in(folder_store.root) == []

    def test_leftovers_of_killed_writers_are_swept(self, folder_store, png):
        incoming = folder_store.root / ".incoming"
        incoming.mkdir(parents=True)
        for name, age in (("old", 2 * 24 * 3600), ("young", 60)):
            (incoming / name).touch()
            os.utime(incoming / name, times=(time.time() - age, time.time() - age))

        folder_store.put(png, "image/png")

        assert [path.name for path in incoming.iterdir()] == ["young"]

    def test_truncated_file_is_healed_by_the_next_put(self, folder_store, png):
        address = folder_store.put(png, "image/png")
        files_in(folder_store.root)[0].write_bytes(png[:10])

        folder_store.put(png, "image/png")

        assert folder_store.read(address) == png

    def test_damaged_file_is_noticed(self, folder_store, png):
        address = folder_store.put(png, "image/png")
        files_in(folder_store.root)[0].write_bytes(bytes(len(png)))

        with pytest.raises(MediaError, match="damaged"):
            folder_store.read(address)

    def test_root_that_is_a_file(self, tmp_path, png):
        (tmp_path / "file").touch()

        with pytest.raises(MediaError, match="file"):
            FolderStore(tmp_path / "file" / "media").put(png, "image/png")


class Signing:
    """Stands in for the signing part of a bucket's driver."""

    def __init__(self, error=None):
        self.error = error
        self.asked = 0

    def __call__(self, path, expiration):
        self.asked += 1
        if self.error:
            raise self.error
        return f"https://bucket.example.com{path}?expires={expiration}"


class TestObjectStore:
    def test_signed_url(self, memory_store, monkeypatch):
        monkeypatch.setattr(memory_store._fs, "sign", Signing(), raising=False)

        url = memory_store.redirect_url(ABSENT, timedelta(minutes=2))

        assert url.startswith("https://bucket.example.com/")
        assert url.endswith(f"{ABSENT.name}?expires=120")

    def test_credentials_that_cannot_sign_are_tried_once(self, memory_store, monkeypatch, caplog):
        signing = Signing(AttributeError("you need a private key"))
        monkeypatch.setattr(memory_store._fs, "sign", signing, raising=False)

        assert [memory_store.redirect_url(ABSENT, timedelta(minutes=2)) for _ in range(3)] == [None] * 3

        assert signing.asked == 1
        assert caplog.text.count("cannot sign") == 1

    def test_redirects_can_be_switched_off(self, monkeypatch):
        monkeypatch.setenv("VLMOPS_MEDIA_REDIRECT", "0")
        store = ObjectStore("memory://off")
        monkeypatch.setattr(store._fs, "sign", Signing(), raising=False)

        assert store.redirect_url(ABSENT, timedelta(minutes=2)) is None

    def test_failing_backend(self, memory_store, monkeypatch):
        def fail(path, **_):
            raise ConnectionError("connection refused")

        monkeypatch.setattr(memory_store._fs, "info", fail)

        with pytest.raises(MediaError, match="connection refused"):
            memory_store.has(ABSENT)

    def test_description_holds_no_credentials(self):
        assert ObjectStore("memory://key:secret@bucket/prefix").description == "memory://bucket/prefix"


class TestOpenStore:
    @pytest.mark.parametrize(
        ("argument", "environment", "expected"),
        [
            ("argument", "environment", "argument"),
            (None, "environment", "environment"),
            (None, "", "vlmops/media"),
            (None, None, "vlmops/media"),
        ],
    )
    def test_precedence(self, tmp_path, monkeypatch, argument, environment, expected):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        if environment is None:
            monkeypatch.delenv("VLMOPS_MEDIA_STORE", raising=False)
        else:
            monkeypatch.setenv("VLMOPS_MEDIA_STORE", environment)

        assert open_store(argument).root == tmp_path / expected

    def test_file_url(self, tmp_path):
        assert open_store(f"file://{tmp_path}/a%20b").root == tmp_path / "a b"

    def test_url(self):
        assert open_store("memory://bucket").description == "memory://bucket"

    def test_missing_driver_names_its_extra(self, monkeypatch):
        def fail(url, **_):
            raise ImportError("Please install gcsfs")

        monkeypatch.setattr("fsspec.core.url_to_fs", fail)

        with pytest.raises(PrerequisiteError, match=r"pip install 'vlmops\[gcs\]'"):
            open_store("gs://bucket")

    def test_unknown_scheme(self):
        with pytest.raises(MediaError, match="nosuchscheme"):
            open_store("nosuchscheme://bucket")
