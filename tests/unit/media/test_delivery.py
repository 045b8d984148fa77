import io

import PIL.Image
import pytest

from vlmops.errors import MediaError
from vlmops.media import FolderStore, MediaAddress, MediaDelivery
from vlmops.media.delivery import CHUNK, MediaRequest

UNKNOWN = "0" * 64 + ".png"


@pytest.fixture
def delivery(folder_store):
    return MediaDelivery(folder_store)


def get(delivery, path, query="", method="GET", **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return delivery.answer(MediaRequest(method, path, query, fields))


class TestPicture:
    def test_get(self, delivery, folder_store, png):
        address = folder_store.put(png, "image/png")

        answer = get(delivery, address.name)

        assert (answer.status, answer.body) == (200, png)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-length"] == str(len(png))
        assert answer.headers["etag"] == f'"{address.sha256}"'
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_head_is_get_without_body(self, delivery, folder_store, png):
        name = folder_store.put(png, "image/png").name
        for query in ("", "w=64"):
            full, head = get(delivery, name, query), get(delivery, name, query, "HEAD")

            assert (head.status, head.headers, head.body) == (200, full.headers, b"")

    def test_large_picture_is_a_stream(self, delivery, folder_store):
        data = bytes(CHUNK + 1)

        answer = get(delivery, folder_store.put(data, "image/png").name)

        with answer.body as stream:
            assert stream.read() == data

    def test_private(self, folder_store, png):
        name = folder_store.put(png, "image/png").name

        headers = get(MediaDelivery(folder_store, private=True), name).headers

        assert headers["cache-control"].startswith("private, ")
        assert headers["vary"] == "cookie, authorization"
        assert headers["cross-origin-resource-policy"] == "same-origin"

    @pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"other", "{}"', '"a",W/"{}"'])
    def test_not_modified(self, delivery, folder_store, png, form):
        address = folder_store.put(png, "image/png")

        answer = get(delivery, address.name, if_none_match=form.format(address.sha256))

        assert (answer.status, answer.body) == (304, b"")
        assert "immutable" in answer.headers["cache-control"]

    @pytest.mark.parametrize("tag", ["", '"other"', "{}", '"{}-w64"'])
    def test_modified(self, delivery, folder_store, png, tag):
        address = folder_store.put(png, "image/png")

        assert get(delivery, address.name, if_none_match=tag.format(address.sha256)).status == 200

    def test_scripts_in_svg_never_run(self, delivery, folder_store):
        name = folder_store.put(b"<svg><script>alert(1)</script></svg>", "image/svg+xml").name

        headers = get(delivery, name, "w=64").headers

        assert headers["content-type"] == "image/svg+xml"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "sandbox" in headers["content-security-policy"]
        assert "allow-scripts" not in headers["content-security-policy"]


class TestThumbnail:
    def test_width_is_rounded_up(self, delivery, folder_store, png):
        address = folder_store.put(png, "image/png")

        answer = get(delivery, address.name, "w=100")

        assert PIL.Image.open(io.BytesIO(answer.body)).width == 128
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["etag"] == f'"{address.sha256}-w128"'
        assert get(delivery, address.name, "w=100", if_none_match=answer.headers["etag"]).status == 304

    def test_narrow_picture_is_sent_as_it_is(self, delivery, folder_store, png):
        assert get(delivery, folder_store.put(png, "image/png").name, "w=2048").body == png

    @pytest.mark.parametrize(
        "query", ["w=", "w=0", "w=abc", "w=99999", "w=64&w=x", "w=-1", "&".join(["a=1"] * 50)]
    )
    def test_nonsense(self, delivery, folder_store, png, query):
        assert get(delivery, folder_store.put(png, "image/png").name, query).status == 400

    def test_damaged_picture(self, delivery, folder_store, png):
        assert get(delivery, folder_store.put(png[:60], "image/png").name, "w=64").status == 422


class TestRefusal:
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
    def test_other_methods(self, delivery, method):
        answer = get(delivery, UNKNOWN, method=method)

        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")

    def test_unknown_picture(self, delivery):
        answer = get(delivery, UNKNOWN)

        assert (answer.status, answer.headers["cache-control"]) == (404, "no-store")

    def test_no_listing(self, delivery):
        assert get(delivery, "").status == 404

    @pytest.mark.parametrize(
        "path",
        [
            "../" + UNKNOWN,
            "/" + UNKNOWN,
            "%2e%2e%2f" + UNKNOWN,
            "..\\" + UNKNOWN,
            UNKNOWN + "\0",
            UNKNOWN + "/",
            "00/00/" + UNKNOWN,
            ".thumbnails/x",
            UNKNOWN.replace("png", "html"),
        ],
    )
    def test_malformed(self, delivery, path):
        assert get(delivery, path).status == 400

    def test_unusable_store_tells_nothing(self, tmp_path, caplog):
        (tmp_path / "secret-place").touch()
        delivery = MediaDelivery(FolderStore(tmp_path / "secret-place" / "media"))

        answer = get(delivery, UNKNOWN)

        assert answer.status == 503
        assert b"secret-place" not in answer.body
        assert "secret-place" in caplog.text


class SigningStore:
    """A bucket that signs."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def redirect_url(self, address, expires):
        return f"https://bucket.example.com/{address.name}?signed={expires.total_seconds():.0f}"


class TestRedirect:
    def test_to_a_signed_url_that_outlives_its_cache(self, memory_store, png):
        name = memory_store.put(png, "image/png").name

        answer = get(MediaDelivery(SigningStore(memory_store)), name)

        assert (answer.status, answer.body) == (307, b"")
        assert answer.headers["location"] == f"https://bucket.example.com/{name}?signed=900"
        assert answer.headers["cache-control"] == "private, max-age=300"

    def test_head_svg_and_thumbnails_stay_here(self, memory_store, png):
        delivery = MediaDelivery(SigningStore(memory_store))
        name = memory_store.put(png, "image/png").name
        svg = memory_store.put(b"<svg/>", "image/svg+xml").name

        assert get(delivery, name, method="HEAD").status == 200
        assert get(delivery, name, "w=64").status == 200
        assert get(delivery, svg).body == b"<svg/>"


def test_wrong_content_is_still_only_an_image(delivery, folder_store):
    answer = get(delivery, folder_store.put(b"<html><script>", "image/png").name)

    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_html_cannot_even_be_stored(folder_store):
    with pytest.raises(MediaError):
        folder_store.put(b"<html>", "text/html")
    assert MediaAddress.parse("0" * 64 + ".html") is None
