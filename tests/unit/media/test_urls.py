import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.media import MediaAddress, UrlPolicy

ADDRESS = MediaAddress("a1" * 32, "image/png")

prefixes = st.sampled_from(
    ["/vlmops/media", "/phoenix/vlmops/media", "https://cdn.example.com", "http://[::1]:6010/pictures/"]
)


@given(prefixes, st.none() | st.integers(1, 2048))
def test_own_urls_are_recognised(prefix, width):
    policy = UrlPolicy(prefix)

    assert policy.address_in(policy.url_for(ADDRESS, width)) == ADDRESS


@given(prefixes, st.text())
def test_recognising_never_fails(prefix, url):
    assert UrlPolicy(prefix).address_in(url) is None or ADDRESS


@pytest.mark.parametrize(
    "url",
    [
        f"/vlmops/media/{ADDRESS.name}",
        f"http://localhost:6006/vlmops/media/{ADDRESS.name}",
        f"https://elsewhere.example.com/phoenix/vlmops/media/{ADDRESS.name}?w=64#x",
        f"//host/vlmops/media/{ADDRESS.name}",
    ],
)
def test_our_urls_on_any_host(url):
    assert UrlPolicy().address_in(url) == ADDRESS
    assert UrlPolicy("https://cdn.example.com/pictures").address_in(url) == ADDRESS


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://example.com/cat.png",
        f"https://example.com/{ADDRESS.name}",
        f"https://example.com/other/{ADDRESS.name}",
        f"/vlmops/media/x/{ADDRESS.name}",
        f"/vlmops/media/{ADDRESS.name}/",
        f"/vlmops/media/{ADDRESS.sha256}.exe",
        "data:image/png;base64," + "A" * 100_000,
        "http://[broken/vlmops/media",
    ],
)
def test_foreign_urls(url):
    assert UrlPolicy().address_in(url) is None


@pytest.mark.parametrize(
    ("argument", "environment", "root_path", "expected"),
    [
        ("/argument", "/environment", "/root", "/argument"),
        (None, "https://media.example.com/", "/root", "https://media.example.com"),
        (None, None, "/root/", "/root/vlmops/media"),
        (None, None, "", "/vlmops/media"),
    ],
)
def test_precedence(monkeypatch, argument, environment, root_path, expected):
    monkeypatch.delenv("VLMOPS_MEDIA_URL", raising=False)
    if environment:
        monkeypatch.setenv("VLMOPS_MEDIA_URL", environment)

    assert UrlPolicy.configured(argument, root_path=root_path).prefix == expected


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "/",
        "vlmops/media",
        "//host/x",
        "ftp://host",
        "https://",
        "https://u:p@host",
        "/a?b",
        "/a#b",
        "/a b",
        "/\\x",
    ],
)
def test_malformed_prefixes(prefix):
    with pytest.raises(UsageError, match="media URL"):
        UrlPolicy(prefix)


def test_relative_prefix_becomes_absolute_on_an_origin():
    assert (
        UrlPolicy().on("http://localhost:6006/").url_for(ADDRESS).startswith("http://localhost:6006/vlmops/")
    )
    assert UrlPolicy("https://cdn").on("http://localhost:6006").prefix == "https://cdn"
