"""``vlmops media``."""

from __future__ import annotations

import typer

app = typer.Typer(help="Where pictures live for platforms that keep none.", no_args_is_help=True)


@app.command("serve")
def serve_command(
    store: str | None = typer.Option(
        None, "--store", help="Folder or fsspec URL; VLMOPS_MEDIA_STORE or the default otherwise."
    ),
    host: str = typer.Option("127.0.0.1", "--host", help="Address to listen on."),
    port: int = typer.Option(6010, "--port", help="Port to listen on."),
    token: str | None = typer.Option(
        None, "--token", envvar="VLMOPS_MEDIA_TOKEN", help="What a request must bring to see a picture."
    ),
    allow_origin: list[str] = typer.Option(
        [], "--allow-origin", help="Origin whose scripts may read pictures."
    ),
) -> None:
    """Serve the media store over HTTP, for a Phoenix whose start you cannot change."""
    from vlmops.media import open_store, serve
    from vlmops.media.urls import MEDIA_PATH

    opened = open_store(store)
    typer.echo(f"serving {opened.description}; set VLMOPS_MEDIA_URL=http://{host}:{port}{MEDIA_PATH}")
    serve(opened, host=host, port=port, token=token, allow_origins=tuple(allow_origin))


@app.command("env")
def env_command(
    platform: str = typer.Argument("phoenix", help="Platform whose server is to show pictures."),
) -> None:
    """Print the environment in which the platform's own server shows stored pictures, for a shell's eval."""
    import shlex

    from vlmops.platforms import plugin

    for name, value in plugin(platform).media_environment().items():
        typer.echo(f"export {name}={shlex.quote(value)}")
