"""What a person's browser shows of the pictures that Phoenix serves."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from vlmops.media import FolderStore, UrlPolicy

pytestmark = pytest.mark.browser

SHOW = """
async url => {
    const image = new Image();
    image.src = url;
    document.body.append(image);
    await image.decode().catch(() => {});
    return image.naturalWidth;
}
"""


@pytest.fixture
def picture(phoenix_server_with_auth):
    file = io.BytesIO()
    Image.new("RGB", (400, 300), "teal").save(file, "PNG")
    address = FolderStore(phoenix_server_with_auth.media_store).put(file.getvalue(), "image/png")
    return UrlPolicy().url_for(address)


@pytest.fixture
def svg_with_script(phoenix_server_with_auth):
    data = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><title>quiet</title>'
        b'<script>document.querySelector("title").textContent = "ran"</script></svg>'
    )
    address = FolderStore(phoenix_server_with_auth.media_store).put(data, "image/svg+xml")
    return UrlPolicy().url_for(address)


def log_in(page, server):
    answer = page.request.post(
        f"{server.url}/auth/login", data={"email": "admin@localhost", "password": server.admin_password}
    )
    assert answer.ok


def test_only_a_logged_in_user_sees_pictures(page, phoenix_server_with_auth, picture):
    server = phoenix_server_with_auth
    page.goto(f"{server.url}/login")
    assert page.evaluate(SHOW, picture) == 0

    log_in(page, server)
    assert page.evaluate(SHOW, picture) == 400
    assert page.evaluate(SHOW, f"{picture}?w=128") == 128

    # The browser's cache gives its copy to that session alone. (A tab keeps in memory what it has shown.)
    page.request.get(f"{server.url}/auth/logout")
    other_tab = page.context.new_page()
    other_tab.goto(f"{server.url}/login")
    assert other_tab.evaluate(SHOW, picture) == 0


def test_script_in_svg_does_not_run(page, phoenix_server_with_auth, svg_with_script):
    server = phoenix_server_with_auth
    log_in(page, server)
    page.goto(f"{server.url}/login")
    assert page.evaluate(SHOW, svg_with_script) == 40

    page.goto(server.url + svg_with_script)

    assert page.locator("title").text_content() == "quiet"
