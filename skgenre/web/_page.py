"""The page in the browser."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from skgenre.web._api import LOG, UNEXPECTED
from skgenre.web._html import CSS, answer_html, table_html, timeline_html
from skgenre.web._service import GenreService, RequestError

_HEAD = '<meta name="description" content="The genre of a piece of music, from its sound">'


def make_page(service: GenreService) -> Any:
    """Make the page of a service.

    Parameters
    ----------
    service : GenreService
        Answers.

    Returns
    -------
    page : gradio.Blocks
        To mount with ``look()``.
    """
    import gradio as gr

    predict_one, predict_many = make_handlers(service)
    limits = service.limits
    with gr.Blocks(title="skgenre", analytics_enabled=False) as page:
        gr.HTML(_header(service))
        with gr.Tabs():
            with gr.Tab("One track"), gr.Row():
                with gr.Column(min_width=280):
                    audio = gr.Audio(
                        sources=["upload", "microphone"],
                        type="filepath",
                        label="Track",
                        editable=False,
                        buttons=[],
                        elem_id="track",
                    )
                    along = gr.HTML(elem_id="timeline")
                    least = _least(gr, service)
                    one = gr.Button("Predict the genre", variant="primary", elem_id="predict")
                with gr.Column(min_width=280):
                    result = gr.HTML(elem_id="result")
            with gr.Tab("Many files"):
                files = gr.File(
                    file_count="multiple",
                    label=f"Up to {limits.max_files} files",
                    elem_id="files",
                )
                least_of_many = _least(gr, service)
                many = gr.Button("Predict the genres", variant="primary", elem_id="predict-all")
                table = gr.HTML(elem_id="table")
                download = gr.DownloadButton("Download as CSV", visible=False, elem_id="download")
        for component in (audio, files):
            _refuse_addresses(component)
        event: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal"}
        gr.on(
            [audio.upload, audio.stop_recording, one.click],
            predict_one,
            [audio, least],
            [result, along],
            **event,
        )
        audio.clear(lambda: ("", ""), None, [result, along], queue=False, **event)
        many.click(predict_many, [files, least_of_many], [table, download], **event)
    page.queue(max_size=limits.max_waiting, default_concurrency_limit=limits.n_jobs, api_open=False)
    return page


def look() -> dict[str, Any]:
    """Return what ``mount_gradio_app`` needs so that the page loads nothing from elsewhere.

    Returns
    -------
    options : dict
        Theme with fonts of the reader's system, style, and switches.
    """
    import gradio as gr

    theme = gr.themes.Default(
        primary_hue="sky",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        # The theme's own grey on white, and white on its blue, have too little contrast.
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        button_primary_background_fill="#005f94",
        button_primary_background_fill_hover="#004d78",
        button_primary_background_fill_dark="#005f94",
        button_primary_background_fill_hover_dark="#004d78",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
    )
    return {
        "theme": theme,
        "css": CSS,
        "head": _HEAD,
        "footer_links": [],
        "run_history": False,
        "show_error": False,  # messages of gr.Error are shown all the same
        "ssr_mode": False,
        "enable_monitoring": False,
        "pwa": False,
        "mcp_server": False,
    }


def make_handlers(service: GenreService) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Make the functions behind the two buttons.

    Parameters
    ----------
    service : GenreService
        Answers.

    Returns
    -------
    predict_one : callable
        From a path and a limit for "unknown" to the fragments of the result and the timeline.
    predict_many : callable
        From paths and a limit to a table and the update of the download button.
    """
    import gradio as gr

    @_with_messages
    def predict_one(path: str | None, min_confidence: float) -> tuple[str, str]:
        if path is None:
            raise RequestError("There is no track yet: upload or record one first.")
        answer = service.predict(
            path, min_confidence=min_confidence, segments=True, explain=True, similar=True
        )
        return answer_html(answer), timeline_html(answer["timeline"])

    @_with_messages
    def predict_many(paths: list[str] | None, min_confidence: float) -> tuple[str, Any]:
        if not paths:
            raise RequestError("There are no files yet: choose some first.")
        content, records = service.predict_table(
            [(path, os.path.basename(path)) for path in paths], min_confidence=min_confidence
        )
        # In gradio's own folder, from which it may serve and which is emptied.
        parent = os.environ.get("GRADIO_TEMP_DIR")
        target = Path(tempfile.mkdtemp(dir=parent)) / "genres.csv"
        target.write_bytes(content)
        return table_html(records), gr.update(value=str(target), visible=True)

    return predict_one, predict_many


def _with_messages(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors into messages on the page."""

    @wraps(function)
    def handler(*args: Any) -> Any:
        import gradio as gr

        try:
            return function(*args)
        except RequestError as error:
            raise gr.Error(str(error), duration=None, print_exception=False) from None
        except Exception:  # the log has the trace, which is nothing for the page
            LOG.exception("unexpected error in %s", function.__name__)
            raise gr.Error(UNEXPECTED, duration=None, print_exception=False) from None

    return handler


def _refuse_addresses(component: Any) -> None:
    """Let a component take uploaded files only, not addresses that the server would read.

    The method is set on the object: for a class, gradio would write a file beside this one.
    """
    import gradio as gr

    take_file = component.async_move_resource_to_block_cache

    async def take(url_or_file_path: Any) -> Any:
        if "://" in str(url_or_file_path):
            raise gr.Error("Upload the file itself, not its address.", print_exception=False)
        return await take_file(url_or_file_path)

    component.async_move_resource_to_block_cache = take


def _least(gr: Any, service: GenreService) -> Any:
    return gr.Slider(
        0,
        1,
        value=service.min_confidence,
        step=0.05,
        label="Answer “unknown” below this probability",
        buttons=[],
    )


def _header(service: GenreService) -> str:
    limits = service.limits
    return (
        '<div class="sg"><h1>Which genre is it?</h1>'
        f"<p>One of {len(service.classes)} genres, from the sound alone. Files of up to "
        f"{limits.max_megabytes:g} MB and {limits.max_duration / 60:g} minutes; they are deleted "
        f"{limits.keep_minutes:g} minutes after their upload. Programs use the "
        '<a href="api/openapi.json">HTTP API</a>.</p></div>'
    )
