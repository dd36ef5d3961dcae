"""The application: page and HTTP API together, and the server that runs it."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from skgenre.utils._extras import check_installed
from skgenre.web._api import LimitBody, add_api, max_body
from skgenre.web._service import GenreService

_SWEEP = 30.0  # seconds between two searches for old files


def make_app(service: GenreService, folder: str | os.PathLike[str]) -> Any:
    """Make the ASGI application of a service: the page at ``/``, the API under ``/api``.

    Parameters
    ----------
    service : GenreService
        Answers.
    folder : str or PathLike
        Where uploads are kept; the environment variable ``GRADIO_TEMP_DIR`` must name it, and
        nothing else may be in it, because old files are removed from it.

    Returns
    -------
    app : fastapi.FastAPI
        For any server of ASGI, such as uvicorn.

    Raises
    ------
    skgenre.utils.MissingExtraError
        If gradio is not installed.
    """
    check_installed("The page needs", "web", "gradio")
    import gradio as gr
    from fastapi import FastAPI

    from skgenre.web._page import look, make_page

    if os.environ.get("GRADIO_TEMP_DIR") != os.fspath(folder):
        raise ValueError(f"The environment variable GRADIO_TEMP_DIR should be {folder}.")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_sweep(Path(folder), 60 * service.limits.keep_minutes))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            remove_old_files(Path(folder), -1.0)  # all

    app = FastAPI(
        title="skgenre",
        lifespan=lifespan,
        # The pages of FastAPI load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.add_middleware(LimitBody, max_bytes=max_body(service))
    add_api(app, service)
    return gr.mount_gradio_app(
        app, make_page(service), path="/", max_file_size=service.limits.max_bytes, **look()
    )


async def _sweep(folder: Path, seconds: float) -> None:
    while True:
        await asyncio.sleep(min(_SWEEP, seconds))
        await asyncio.to_thread(remove_old_files, folder, seconds)


def remove_old_files(folder: Path, seconds: float) -> None:
    """Remove the files that are older than this, and folders that are empty.

    Parameters
    ----------
    folder : Path
        Searched with all that is in it.
    seconds : float
        Age by the time of the last change of a file, its name included.
    """
    for path in sorted(folder.rglob("*"), reverse=True):  # what is inside comes first
        with suppress(OSError):  # someone else was faster, or a folder is not empty
            if time.time() - path.lstat().st_ctime > seconds:
                path.rmdir() if path.is_dir() else path.unlink()


@contextmanager
def _upload_folder() -> Iterator[str]:
    """Give gradio a folder of its own, which is gone at the end."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    with tempfile.TemporaryDirectory(prefix="skgenre-web-", ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        try:
            yield folder
        finally:
            if before is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = before


def serve(
    service: GenreService,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    ready: Any = print,
) -> None:
    """Serve the page and the API of a model until the process is interrupted.

    Parameters
    ----------
    service : GenreService
        Answers.
    host : str, default="127.0.0.1"
        Address to listen at. By default only this machine can reach the server; "0.0.0.0" is every
        address of the machine.
    port : int, default=7860
        Port to listen at; 0 takes a free one.
    ready : callable, default=print
        Called with the address of the page once the server takes connections.

    Raises
    ------
    OSError
        If the port is taken, or the machine does not have the address.
    skgenre.utils.MissingExtraError
        If gradio is not installed.
    """
    check_installed("skgenre serve needs", "web", "gradio")
    # The port is opened before the slow imports, so that an error comes at once.
    with _listen(host, port) as listening, _upload_folder() as folder:
        import uvicorn

        app = make_app(service, folder)
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)
        )
        name = f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{listening.getsockname()[1]}")
        server.run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """Open a port, or raise an error that says which options to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise OSError(
            f"Cannot listen at {host}, port {port} ({error.strerror or error}). Give another "
            "--port, or 0 for any that is free; --host must be an address of this machine."
        ) from error
