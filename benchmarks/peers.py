"""Peers of skgenre at the same work: MFCCs of segments, and the description of a file.

``python -m benchmarks.peers [--folder FOLDER] [--rounds N] [PEER ...]``

Each peer runs in an environment of its own, which this program makes in the folder (by default a
temporary one), on one thread. All run at the same time and take turns, one round each; the ratios
are of processor time in a round, as the median over rounds with the lowest and the highest.
torchaudio needs seven gigabytes. The conventions of the peers differ a little, such as padding
and the norm of the mel filters, and the descriptions have other columns: only times are compared.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# What pip installs for each peer.
PEERS: dict[str, list[str]] = {
    "librosa": ["librosa==0.11.0"],
    "torchaudio": ["torch==2.9.1", "torchaudio==2.9.1", "numpy"],
    "audioflux": ["audioflux==0.1.9", "setuptools<81"],
    "essentia": ["essentia==2.1b6.dev1389"],
    "python_speech_features": ["python_speech_features==0.6", "numpy", "scipy"],
    "opensmile": ["opensmile==2.6.0"],
}

# The rest of this module, without what only the main program needs, also runs in the peers'
# environments: each function returns one that computes MFCCs of (n_segments, n_samples), 13 of 128
# bands in frames of 2048 samples every 512, or None, and some that describe a WAV file, by name.
Works = tuple[Callable[..., Any] | None, dict[str, Callable[..., Any]]]


def skgenre() -> Works:
    from skgenre import AudioLoader, ClipFeatures, ExcerptFeatures, MFCCExtractor

    mfcc, loader, clip = MFCCExtractor(), AudioLoader(), ClipFeatures()
    excerpts = ExcerptFeatures(clip)
    return lambda x: mfcc.transform(x[np.newaxis]), {
        "ClipFeatures, 2380 columns": lambda path: clip.transform(loader.transform([path])),
        "with three excerpts, 9520 columns": lambda path: excerpts.transform(
            loader.transform([path])
        ),
    }


def librosa() -> Works:
    import librosa

    def describe(path: str) -> list[Any]:
        y, rate = librosa.load(path)
        f, given = librosa.feature, {"y": y, "sr": rate}
        kinds = (f.mfcc, f.chroma_stft, f.spectral_contrast, f.spectral_centroid, f.tempogram)
        return [kind(**given).mean(axis=1) for kind in kinds]

    return (
        lambda x: [librosa.feature.mfcc(y=y, sr=22050, n_mfcc=13) for y in x],
        {"MFCC, chroma, contrast, centroid, tempogram: means": describe},
    )


def torchaudio() -> Works:
    import torch
    import torchaudio

    torch.set_num_threads(1)
    mel = {"n_fft": 2048, "hop_length": 512, "n_mels": 128, "norm": "slaney"}
    mfcc = torchaudio.transforms.MFCC(22050, n_mfcc=13, melkwargs={**mel, "mel_scale": "slaney"})
    return lambda x: mfcc(torch.from_numpy(x)), {}


def audioflux() -> Works:
    import audioflux

    return (
        lambda x: [
            audioflux.mfcc(
                y, cc_num=13, mel_num=128, radix2_exp=11, slide_length=512, samplate=22050
            )
            for y in x
        ],
        {},
    )


def essentia() -> Works:
    import essentia
    import essentia.standard as es

    essentia.log.infoActive = False
    window, spectrum = es.Windowing(type="hann", normalized=False), es.Spectrum(size=2048)
    mfcc = es.MFCC(
        inputSize=1025,
        sampleRate=22050,
        numberBands=128,
        numberCoefficients=13,
        highFrequencyBound=11025,
    )

    def coefficients(x: Any) -> Any:
        frames = (es.FrameGenerator(y, frameSize=2048, hopSize=512) for y in x)
        return [[mfcc(spectrum(window(frame)))[1] for frame in some] for some in frames]

    extract = es.MusicExtractor()
    return coefficients, {"MusicExtractor": extract}


def python_speech_features() -> Works:
    from python_speech_features import mfcc

    given = {"winlen": 2048 / 22050, "winstep": 512 / 22050, "nfilt": 128, "nfft": 2048}
    return lambda x: [mfcc(y, 22050, numcep=13, **given) for y in x], {}


def opensmile() -> Works:
    import opensmile

    kinds = {
        "eGeMAPS, 88 columns": opensmile.FeatureSet.eGeMAPSv02,
        "ComParE 2016, 6373 columns": opensmile.FeatureSet.ComParE_2016,
    }
    return None, {
        name: opensmile.Smile(feature_set=kind).process_file for name, kind in kinds.items()
    }


def serve(peer: str, folder: str) -> None:
    """Run what a peer offers, once for each line of the standard input; print processor time."""
    import time

    segments = np.load(Path(folder) / "segments.npy")
    mfcc, descriptions = globals()[peer]()
    works = {name: (work, f"{folder}/track.wav") for name, work in descriptions.items()}
    if mfcc is not None:
        works["MFCC"] = mfcc, segments
    for work, given in works.values():
        work(given)  # a warm-up
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what peers print does not mix with the answers
    print(json.dumps(list(works)), file=out, flush=True)
    for line in sys.stdin:
        work, given = works[line.rstrip("\n")]
        start = time.process_time()
        work(given)
        print(time.process_time() - start, file=out, flush=True)


def make_environment(peer: str, folder: Path) -> str:
    """Return the Python of an environment with the peer, made unless it is there already."""
    place = folder / peer
    python = str(place / "bin" / "python")
    if not (place / "complete").exists():
        venv.create(place, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS[peer]], check=True)
        (place / "complete").touch()
    return python


def start(peer: str, python: str, folder: str) -> tuple[subprocess.Popen[str], list[str]]:
    """Start the process of a peer, and return it and the names of what it measures."""
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    env = {**os.environ, **{f"{name}_NUM_THREADS": "1" for name in names}}
    imports = "from __future__ import annotations\nimport json, os, sys\nimport numpy as np\n"
    imports += "from pathlib import Path\nfrom typing import Any\n"
    parts = [imports, *(inspect.getsource(part) for part in (globals()[peer], serve))]
    script = Path(folder) / f"run_{peer}.py"
    script.write_text("\n\n".join([*parts, f"serve({peer!r}, {folder!r})\n"]))
    process = subprocess.Popen(
        [python, str(script)], env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"{peer} did not start; its message is above")
    return process, json.loads(answer)


def ask(process: subprocess.Popen[str], name: str) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(name + "\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", help="keeps the environments; by default a temporary folder")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("peers", nargs="*", metavar="PEER", help=", ".join(PEERS))
    args = parser.parse_args()
    unknown = set(args.peers) - set(PEERS)
    if unknown:
        parser.error(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    with tempfile.TemporaryDirectory() as temporary:
        environments = Path(args.folder or temporary)
        environments.mkdir(parents=True, exist_ok=True)
        pythons = {"skgenre": sys.executable}
        pythons |= {p: make_environment(p, environments) for p in args.peers or PEERS}
        measure(pythons, temporary, args.rounds)


def measure(pythons: dict[str, str], folder: str, n_rounds: int) -> None:
    """Let all processes take turns, and print the table."""
    import soundfile

    from skgenre import make_genres

    track = make_genres(1, duration=30.0, random_state=0).data[0].astype(np.float32)
    soundfile.write(f"{folder}/track.wav", track, 22050, subtype="PCM_16")
    np.save(f"{folder}/segments.npy", track[:661500].reshape(10, -1))
    processes = {peer: start(peer, python, folder) for peer, python in pythons.items()}
    works = [(peer, name) for peer, (_, names) in processes.items() for name in names]
    times: dict[tuple[str, str], list[float]] = {work: [] for work in works}
    for i in range(n_rounds):
        for peer, name in works if i % 2 == 0 else works[::-1]:
            times[peer, name].append(ask(processes[peer][0], name))
    for process, _ in processes.values():
        process.terminate()
        process.wait()
    print(f"Processor time of {n_rounds} rounds, one thread\n")
    print("| work | by | time | ratio to skgenre |\n|---|---|---|---|")
    ours = {"MFCC": times["skgenre", "MFCC"], "": times["skgenre", processes["skgenre"][1][0]]}
    for peer, name in sorted(works, key=lambda work: work[1] != "MFCC"):
        found = np.array(times[peer, name])
        ratio = found / np.array(ours["MFCC" if name == "MFCC" else ""])
        work = "10 segments of 3 s to MFCCs" if name == "MFCC" else "WAV of 30 s to its description"
        by = peer if name == "MFCC" else f"{peer}: {name}"
        print(
            f"| {work} | {by} | {1000 * np.median(found):.1f} ms | {np.median(ratio):.2f} "
            f"({ratio.min():.2f} to {ratio.max():.2f}) |"
        )


if __name__ == "__main__":
    main()
