"""Answers as HTML. All names are escaped; bars and cells have their values in text too."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from skgenre.catalogue import FilePrediction

_N_GENRES = 6  # in the bars; the others are summed up
_N_ROWS = 5  # genres of the timeline
_N_GROUPS = 8  # feature groups in the explanation; the others are summed up

# What the feature groups of ClipFeatures and MusicnnExtractor measure.
_GROUPS = {
    "mfcc": "timbre (MFCCs)",
    "delta_covariance": "changes of timbre",
    "melstat": "level of each band",
    "block_levels": "levels in blocks, rises",
    "modulation": "swings of each band, dB",
    "scatter": "swings of each band",
    "tempo": "tempo",
    "chroma": "chords",
    "tonal": "intervals and key",
    "recurrence": "repetition",
    "harmonic_percussive": "strokes or sustained notes",
    "spec": "shape of the spectrum",
    "contrast": "peaks of the spectrum",
}

# Colours come from the theme, which has a light and a dark form; both have a contrast of 4.5 or
# more to the text on them.
CSS = """
.sg h1 {font-size: 1.6rem; font-weight: 700; margin: 0}
.sg h2 {font-size: 1.9rem; font-weight: 700; margin: 0 0 .2rem 0; overflow-wrap: anywhere}
.sg h3, .sg h2.sg-small {font-size: 1rem; font-weight: 600; margin: 1.1rem 0 .4rem 0}
.sg p {margin: .2rem 0; overflow-wrap: anywhere}
.sg table {width: 100%; border-collapse: collapse; margin: 0 !important}
.sg table, .sg tr, .sg th, .sg td {border: 0 !important; background: none !important}
.sg th, .sg td {text-align: left; font-weight: 400; padding: .15rem .4rem .15rem 0}
.sg th {width: 1%; white-space: nowrap}
.sg td.sg-number {width: 1%; white-space: nowrap; text-align: right; padding-right: 0;
  font-variant-numeric: tabular-nums}
.sg thead th {font-weight: 600; width: auto}
.sg thead th:last-child {text-align: right; padding-right: 0}
.sg td.sg-name {overflow-wrap: anywhere}
.sg .sg-track {position: relative; height: 1rem; border-radius: .2rem;
  background: var(--border-color-primary)}
.sg .sg-bar {position: absolute; top: 0; bottom: 0; left: 0; border-radius: .2rem;
  background: #0072B2}
.sg .sg-other {background: #8a8a8a}
.sg .sg-against {background: repeating-linear-gradient(45deg, #D55E00, #D55E00 4px, #a34700 4px,
  #a34700 8px)}
.sg .sg-zero {position: absolute; top: -.2rem; bottom: -.2rem; width: 2px; margin-left: -1px;
  background: var(--body-text-color)}
.sg .sg-line {display: grid; grid-template-columns: 6.5rem 1fr; align-items: center;
  column-gap: .4rem; margin-bottom: 2px}
.sg .sg-line span {overflow-wrap: anywhere; line-height: 1.15}
.sg .sg-cells {display: flex; gap: 1px; height: 1.4rem}
.sg .sg-cell {position: relative; background: var(--border-color-primary)}
.sg .sg-cell i {position: absolute; inset: 0; background: #0072B2}
.sg .sg-cell.sg-best::after {content: ""; position: absolute; left: 50%; top: 50%; width: .5rem;
  height: .5rem; margin: -.25rem; border-radius: 50%; background: #fff; border: 1px solid #000}
.sg .sg-times {display: flex; justify-content: space-between; font-size: .85rem}
.sg .sg-scroll {overflow-x: auto}
@media (max-width: 500px) {.sg th[scope=row] {white-space: normal; width: 36%}}
/* Parts of gradio that a keyboard or a screen reader cannot use: the waveform as a region that
   scrolls, and an upload button inside another. */
#track ::part(scroll) {overflow: hidden !important}
#files .icon-button:has(input) {display: none}
#track time, #track .playback, #track .playback span, #track button.icon:not(.selected)
  {color: var(--body-text-color) !important; --neutral-400: var(--body-text-color)}
button[role=tab].selected, #files .download-link {color: var(--body-text-color) !important}
.sg a {text-decoration: underline; color: inherit; padding: 0 !important}
"""


def answer_html(answer: dict[str, Any]) -> str:
    """Return the genre, its bars, the explanation and the similar tracks.

    Parameters
    ----------
    answer : dict
        As :meth:`GenreService.predict` returns it.

    Returns
    -------
    html : str
        A fragment.
    """
    record = answer["record"]
    heading = record["genre"] or record["status"]
    parts = [f"<h2>{escape(heading)}</h2>"]
    if record["reason"]:
        parts.append(f"<p>{escape(record['reason'])}</p>")
    parts.append(f"<p>{escape(record['path'])}, {clock(record['duration'])}</p>")
    if record["probabilities"]:
        parts.append(_bars(record["probabilities"], record["min_confidence"]))
    if answer["explanation"]:
        parts.append(_explanation(answer["explanation"]))
    if answer["similar"]:
        parts.append(_similar(answer["similar"]))
    return _fragment(*parts)


def timeline_html(stretches: list[dict[str, Any]] | None) -> str:
    """Return the timeline: a row for each genre, a cell for each stretch.

    Parameters
    ----------
    stretches : list of dict or None
        ``timeline`` of an answer.

    Returns
    -------
    html : str
        A fragment; "" where there is no timeline.
    """
    if not stretches:
        return ""
    probabilities = [part["probabilities"] or {} for part in stretches]
    best = [max(p, key=p.__getitem__, default=None) for p in probabilities]
    sums = {g: sum(p.get(g, 0) for p in probabilities) for p in probabilities for g in p}
    winners = sorted(set(filter(None, best)), key=lambda genre: -sums[genre])
    others = sorted(set(sums) - set(winners), key=lambda genre: -sums[genre])
    genres = [*winners, *others][:_N_ROWS]
    has_times = stretches[0]["start"] is not None
    # Without times, all stretches are equally long.
    widths = [part["end"] - part["start"] if has_times else 1.0 for part in stretches]
    rows = []
    for genre in genres:
        cells = "".join(
            f'<div class="sg-cell{" sg-best" if genre == winner else ""}" '
            f'style="flex: {width:.3f} 0 0"><i style="opacity: {p.get(genre, 0):.3f}"></i></div>'
            for p, winner, width in zip(probabilities, best, widths, strict=True)
        )
        rows.append(
            f'<div class="sg-line"><span>{escape(genre)}</span>'
            f'<div class="sg-cells">{cells}</div></div>'
        )
    if has_times:
        ends = (clock(stretches[0]["start"]), clock(stretches[-1]["end"]))
    else:
        ends = ("segment 1", f"segment {len(stretches)}")
    times = f'<div class="sg-times"><span>{ends[0]}</span><span>{ends[1]}</span></div>'
    spoken = "; ".join(
        f"{_stretch(number, part)}: "
        + (f"{genre} {p[genre]:.0%}" if genre is not None else "no sound")
        for number, (part, genre, p) in enumerate(
            zip(stretches, best, probabilities, strict=True), start=1
        )
    )
    return _fragment(
        '<h2 class="sg-small">Along the track</h2>',
        f'<div role="img" aria-label="{escape("Most probable genre. " + spoken)}">',
        *rows,
        f'<div class="sg-line"><span></span>{times}</div></div>',
        "<p>The bluer, the more probable; the dot marks the most probable genre.</p>",
    )


def table_html(records: Sequence[FilePrediction]) -> str:
    """Return a table of the genres of several files.

    Parameters
    ----------
    records : sequence of FilePrediction
        One for each file.

    Returns
    -------
    html : str
        A fragment.
    """
    rows = []
    for found in records:
        share = next(iter(found.probabilities.values()), None)
        genre = found.genre or found.status
        if found.status == "error":
            genre = f"error: {found.reason}"
        rows.append(
            f'<tr><td class="sg-name">{escape(found.path)}</td>'
            f'<td class="sg-name">{escape(genre)}</td>'
            f'<td class="sg-number">{"" if share is None else f"{share:.2f}"}</td></tr>'
        )
    return _fragment(
        '<div class="sg-scroll" tabindex="0" role="region" aria-label="Genres of the files">',
        '<table><thead><tr><th scope="col">file</th><th scope="col">genre</th>'
        '<th scope="col">probability</th></tr></thead>',
        f"<tbody>{''.join(rows)}</tbody></table></div>",
    )


def clock(seconds: float | None) -> str:
    """Write seconds as minutes and seconds: 3:07.

    Parameters
    ----------
    seconds : float or None
        A time.

    Returns
    -------
    text : str
        The time; "?" for None.
    """
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _fragment(*parts: str) -> str:
    return f'<div class="sg">{"".join(parts)}</div>'


def _stretch(number: int, part: dict[str, Any]) -> str:
    if part["start"] is None:
        return f"segment {number}"
    return f"{clock(part['start'])} to {clock(part['end'])}"


def _bars(probabilities: dict[str, float], limit: float) -> str:
    """Return bars of the most probable genres, with a line at the limit for "unknown"."""
    shown = list(probabilities.items())
    rest = shown[_N_GENRES:]
    rows = [_row(name, p, "", limit) for name, p in shown[:_N_GENRES]]
    if rest:
        name = rest[0][0] if len(rest) == 1 else f"{len(rest)} other genres"
        rows.append(_row(name, sum(p for _, p in rest), " sg-other", limit))
    note = f"<p>The line is the limit for “unknown”: {limit:g}.</p>" if limit else ""
    return f"<h3>Probability of each genre</h3><table>{''.join(rows)}</table>{note}"


def _row(name: str, share: float, kind: str, limit: float) -> str:
    line = f'<div class="sg-zero" style="left: {100 * limit:.1f}%"></div>' if limit else ""
    return (
        f'<tr><th scope="row">{escape(name)}</th><td><div class="sg-track">'
        f'<div class="sg-bar{kind}" style="width: {100 * share:.1f}%"></div>{line}</div></td>'
        f'<td class="sg-number">{share:.2f}</td></tr>'
    )


def _explanation(explanation: dict[str, Any]) -> str:
    """Return bars to the right of zero for the genre, to the left against it."""
    parts = list(explanation["contributions"].items())
    shown = [(_GROUPS.get(name, name), value) for name, value in parts[:_N_GROUPS]]
    if rest := parts[_N_GROUPS:]:
        shown.append((f"{len(rest)} other groups", sum(value for _, value in rest)))
    shown.append(("an average track", explanation["average_track"]))
    low = min(0.0, *(value for _, value in shown))
    width = max(0.0, *(value for _, value in shown)) - low or 1.0
    zero = -low / width
    rows = []
    for name, value in shown:
        kind = " sg-against" if value < 0 else ""
        left = zero + min(value, 0) / width
        rows.append(
            f'<tr><th scope="row">{escape(name)}</th><td><div class="sg-track">'
            f'<div class="sg-bar{kind}" style="left: {100 * left:.1f}%; '
            f'width: {100 * abs(value) / width:.1f}%"></div>'
            f'<div class="sg-zero" style="left: {100 * zero:.1f}%"></div></div></td>'
            f'<td class="sg-number">{value:+.2f}</td></tr>'
        )
    genre = escape(explanation["genre"])
    return (
        f"<h3>What speaks for {genre}</h3><table>{''.join(rows)}</table>"
        f"<p>Parts of the score of {genre} against all other genres, "
        f"{explanation['score']:+.2f} together, by groups of features.</p>"
    )


def _similar(tracks: list[dict[str, Any]]) -> str:
    rows = []
    for track in tracks:
        genre = "" if track["genre"] is None else escape(track["genre"])
        rows.append(
            f'<tr><td class="sg-name">{escape(track["name"])}</td><td>{genre}</td>'
            f'<td class="sg-number">{track["similarity"]:.2f}</td></tr>'
        )
    with_genre = any(track["genre"] is not None for track in tracks)
    head = ("track", "genre" if with_genre else "", "similarity")
    cells = "".join(f'<th scope="col">{name}</th>' if name else "<td></td>" for name in head)
    return (
        f"<h3>Similar tracks</h3><table><thead><tr>{cells}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
