"""Compare SummaryExtractor with a published table, column by column.

``python -m benchmarks.summary_table FOLDER CSV`` summarises the clips of a folder of genres,
each with the length given in its row of the CSV file, and prints the correlation with the
table and the median relative error of each of the 57 columns. ``--encode-again N`` instead
compares N clips with Ogg Vorbis copies of them, which shows the effect of lossy coding alone.
``--time N`` instead measures the time per clip, and how many times longer librosa's functions
take one by one. docs/results.md quotes these figures.
"""

from __future__ import annotations

import argparse
import io
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from skgenre import AudioLoader, SummaryExtractor, load_genre_folder

RATE = 22050
CODING = 0.35  # compression level of libsndfile, 0 to 1: about 50 kbit/s for such clips


def load(path: str, n_samples: int) -> np.ndarray:
    return AudioLoader(sampling_rate=RATE, duration=n_samples / RATE).transform([path])


def by_librosa(y: np.ndarray) -> np.ndarray:
    """Call librosa's functions one by one, each on the waveform."""
    import librosa

    measures = [
        librosa.feature.chroma_stft(y=y, pad_mode="reflect"),
        librosa.feature.rms(y=y, pad_mode="reflect"),
        librosa.feature.spectral_centroid(y=y, pad_mode="reflect"),
        librosa.feature.spectral_bandwidth(y=y, pad_mode="reflect"),
        librosa.feature.spectral_rolloff(y=y, pad_mode="reflect"),
        librosa.feature.zero_crossing_rate(y),
        *librosa.effects.hpss(y, pad_mode="reflect"),
    ]
    onsets = librosa.onset.onset_strength(y=y, aggregate=np.median, pad_mode="reflect")
    tempo, _ = librosa.beat.beat_track(onset_envelope=onsets)
    mfcc = librosa.feature.mfcc(y=y, n_mfcc=20, pad_mode="reflect")
    row = [f(values) for values in measures for f in (np.mean, np.var)]
    row.append(np.squeeze(tempo))
    return np.array(row + [f(values) for values in mfcc for f in (np.mean, np.var)])


def encode_again(waveform: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(
        file, waveform[0], RATE, format="OGG", subtype="VORBIS", compression_level=CODING
    )
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0][np.newaxis, : waveform.shape[1]]


def measure_time(paths: list[str], lengths: list[int]) -> None:
    summary = SummaryExtractor()
    waveform = load(paths[0], lengths[0])
    summary.transform(waveform[:, : 5 * RATE])  # compiles and builds once
    by_librosa(waveform[0, : 5 * RATE])
    seconds, ratios, errors = [], [], []
    for path, length in zip(paths, lengths, strict=True):
        waveform = load(path, length)
        start = time.perf_counter()
        ours = summary.transform(waveform)[0]
        middle = time.perf_counter()
        theirs = by_librosa(waveform[0])
        seconds.append(middle - start)
        ratios.append((time.perf_counter() - middle) / seconds[-1])
        errors.append(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-6))
    worst = int(np.max(errors, axis=0).argmax())
    print(
        f"{len(paths)} clips: {np.median(seconds):.2f} s a clip, {np.median(ratios):.1f} times "
        f"faster than librosa (medians); largest relative difference {np.max(errors):.1e}, in "
        f"{summary.get_feature_names_out()[worst]}"
    )


def compare(ours: pd.DataFrame, table: pd.DataFrame) -> None:
    print("\n| column | correlation | median relative error |")
    print("|---|---|---|")
    for name in ours.columns:
        found, published = ours[name].to_numpy(np.float64), table[name].to_numpy(np.float64)
        correlation = np.corrcoef(found, published)[0, 1]
        error = np.median(np.abs(found - published) / np.abs(published))
        print(f"| `{name}` | {correlation:.4f} | {error:.4f} |")
    same = np.isclose(ours["tempo"], table["tempo"], rtol=1e-4).mean()
    print(f"\nThe tempo is the same in {100 * same:.1f} % of the clips.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("csv")
    parser.add_argument("--encode-again", type=int, metavar="N", help="compare N clips with copies")
    parser.add_argument("--time", type=int, metavar="N", help="measure the time of N clips")
    args = parser.parse_args()
    table = pd.read_csv(args.csv)
    table.index = [Path(name).stem for name in table["filename"]]
    paths = {Path(path).stem: path for path in load_genre_folder(args.folder).data}
    stems = [stem for stem in table.index if stem in paths]
    if not stems:
        parser.error(f"no clip of {args.folder} is named in {args.csv}")
    lengths = table.loc[stems, "length"].tolist()
    packages = ["numpy", "scipy", "librosa"]
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    n_clips = args.time or args.encode_again
    if n_clips:
        chosen = np.linspace(0, len(stems) - 1, min(n_clips, len(stems))).astype(int)
        stems, lengths = [stems[i] for i in chosen], [lengths[i] for i in chosen]
    if args.time:
        measure_time([paths[stem] for stem in stems], lengths)
        return
    summary = SummaryExtractor()
    names = summary.get_feature_names_out()
    start = time.perf_counter()
    # Clip by clip, to hold only one waveform in memory.
    rows = [
        summary.transform(load(paths[stem], length))[0]
        for stem, length in zip(stems, lengths, strict=True)
    ]
    seconds = time.perf_counter() - start
    print(f"{len(rows)} clips in {seconds:.0f} s, reading the files included")
    ours = pd.DataFrame(np.array(rows), stems, names)
    if args.encode_again:
        copies = [
            summary.transform(encode_again(load(paths[stem], length)))[0]
            for stem, length in zip(stems, lengths, strict=True)
        ]
        compare(pd.DataFrame(np.array(copies), stems, names), ours)
    else:
        compare(ours, table.loc[stems])


if __name__ == "__main__":
    main()
