"""The HTTP API. FastAPI reads the annotations of the routes, so they are evaluated here."""

import asyncio
import json
import logging
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from skgenre.web._service import GenreService, RequestError

LOG = logging.getLogger("skgenre.web")
UNEXPECTED = "Something went wrong in the server; its log says what."
_FORM = 1_000_000  # bytes of a request beside its files


def add_api(app: Any, service: GenreService) -> None:
    """Add the routes of the HTTP API.

    Parameters
    ----------
    app : fastapi.FastAPI
        Gets the routes under ``/api``.
    service : GenreService
        Answers.
    """
    from fastapi import Response, UploadFile
    from fastapi.responses import JSONResponse

    queue = _Queue(service)

    @app.exception_handler(RequestError)
    async def refuse(request: Any, error: RequestError) -> Any:
        headers = {"Retry-After": "10"} if error.status == 503 else None
        return JSONResponse({"detail": str(error)}, error.status, headers)

    @app.exception_handler(Exception)
    async def fail(request: Any, error: Exception) -> Any:
        return JSONResponse({"detail": UNEXPECTED}, 500)

    @app.get("/api/model", summary="Genres, abilities and limits of the model")
    async def model() -> dict[str, Any]:
        return service.describe()

    @app.post("/api/predict", summary="The genre of one file")
    async def predict(
        file: UploadFile,
        min_confidence: float | None = None,
        segments: bool = False,
        explain: bool = False,
        similar: bool = False,
    ) -> dict[str, Any]:
        parts = {"segments": segments, "explain": explain, "similar": similar}
        return await queue.run(
            partial(_predict, service, [file], min_confidence=min_confidence, **parts)
        )

    @app.post("/api/batch", summary="A CSV file with the genres of several files")
    async def batch(files: list[UploadFile], min_confidence: float | None = None) -> Response:
        table = await queue.run(
            partial(_predict_table, service, files, min_confidence=min_confidence)
        )
        head = {"Content-Disposition": 'attachment; filename="genres.csv"'}
        return Response(table, media_type="text/csv; charset=utf-8", headers=head)


class _Queue:
    """Runs predictions in threads, some at a time; refuses those that would wait too long."""

    def __init__(self, service: GenreService):
        self._limits, self._n_there = service.limits, 0
        self._slots = asyncio.Semaphore(service.limits.n_jobs)

    async def run(self, work: Callable[[], Any]) -> Any:
        if self._n_there >= self._limits.n_jobs + self._limits.max_waiting:
            raise RequestError(
                f"{self._limits.max_waiting} requests are waiting already; come back later.", 503
            )
        self._n_there += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work)
        finally:
            self._n_there -= 1


def _predict(service: GenreService, files: list[Any], **options: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="skgenre-") as folder:
        ((path, name),) = _save(files, folder, service.limits.max_bytes)
        return service.predict(path, name=name, **options)


def _predict_table(service: GenreService, files: list[Any], **options: Any) -> bytes:
    n_most = service.limits.max_files + 1  # more is refused, and need not be written
    with tempfile.TemporaryDirectory(prefix="skgenre-") as folder:
        saved = _save(files[:n_most], folder, service.limits.max_bytes)
        return service.predict_table(saved, **options)[0]


def _save(files: list[Any], folder: str, max_bytes: int) -> list[tuple[Path, str]]:
    """Write uploaded files under names of our own; return their paths and their names."""
    saved = []
    for number, file in enumerate(files):
        name = Path(file.filename or "").name or "upload"
        path = Path(folder) / f"{number}{Path(name).suffix}"
        with open(path, "wb") as stream:
            # One byte more than allowed is enough to refuse the file.
            stream.write(file.file.read(max_bytes + 1))
        saved.append((path, name))
    return saved


class LimitBody:
    """Refuse requests that are larger than all files of a batch may be.

    Parameters
    ----------
    app : ASGI application
        What answers the others.
    max_bytes : int
        The largest body.
    """

    def __init__(self, app: Any, max_bytes: int):
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or answer it with the status 413.

        Parameters
        ----------
        scope, receive, send : of ASGI
            A request.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stated = dict(scope["headers"]).get(b"content-length", b"")
        if stated.isdigit() and int(stated) > self.max_bytes:
            await self._refuse(send)
            return
        n_bytes = 0

        async def count() -> Any:
            # A client that sends more than it states, or states nothing, is cut off.
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            return {"type": "http.disconnect"} if n_bytes > self.max_bytes else message

        await self.app(scope, count, send)

    async def _refuse(self, send: Any) -> None:
        text = f"The request is too large; send at most {self.max_bytes / 1e6:g} MB at once."
        head = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": head})
        body = json.dumps({"detail": text}).encode()
        await send({"type": "http.response.body", "body": body})


def max_body(service: GenreService) -> int:
    """Return the largest body of a request.

    Parameters
    ----------
    service : GenreService
        Its limits count.

    Returns
    -------
    n_bytes : int
        Of all files of a batch, and some more.
    """
    return service.limits.max_bytes * service.limits.max_files + _FORM
