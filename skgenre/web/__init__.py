"""A page in the browser and an HTTP API for one model."""

from skgenre.web._app import make_app, serve
from skgenre.web._service import GenreService, Limits, RequestError

__all__ = ["GenreService", "Limits", "RequestError", "make_app", "serve"]
