"""PerTrack, predictions, evaluation and commands on a Dask cluster on this machine."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from contextlib import contextmanager
from dataclasses import replace

import joblib
import numpy as np
import pytest
import threadpoolctl
from _cluster_steps import KillingClassifier, LoggingStep
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre import (
    AudioLoader,
    GenreClassifier,
    MFCCExtractor,
    PerTrack,
    Segmenter,
    evaluate,
    make_genres,
    predict_files,
)
from skgenre.catalogue import open_records, read_records
from skgenre.cli import main
from skgenre.cli._cluster import dask_cluster

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")

N_WORKERS = 2


@contextmanager
def local_cluster(n_workers):
    with (
        distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None would take port 8787 of all addresses
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def client():
    with local_cluster(N_WORKERS) as client:
        yield client


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster") / "music"
    return make_genres(4, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)


@pytest.fixture(scope="module")
def model(music):
    return GenreClassifier(members=["svc"], n_excerpts=0, random_state=0).fit(
        music.data, music.target
    )


def mfcc(**params):
    steps = [AudioLoader(duration=1.0), Segmenter(n_segments=2, track_duration=1.0)]
    return PerTrack(make_pipeline(*steps, MFCCExtractor()), **params)


def on(client):
    client.wait_for_workers(N_WORKERS)  # after a kill, one is still starting
    return joblib.parallel_config("dask", client=client)


def workers_with_tensorflow(client):
    return [worker for worker, has in client.run(_has_tensorflow).items() if has]


def _has_tensorflow():
    return "tensorflow" in sys.modules


def plain(records):
    """Records without the time that they took."""
    return [replace(record, seconds=0.0) for record in records]


@pytest.mark.slow
def test_per_track_equals_the_local_run_and_finds_its_cache(client, music, tmp_path):
    expected = mfcc().transform(music.data)
    per_track = mfcc(memory=tmp_path / "cache", file_identity="content")
    with on(client):
        for n_hits in (0, len(music.data)):
            np.testing.assert_array_equal(per_track.fit_transform(music.data), expected)
            assert per_track.n_hits_ == n_hits
    assert not workers_with_tensorflow(client)


def test_content_finds_the_tracks_of_another_mount(client, music, tmp_path):
    shutil.copytree(music.data[0].rpartition("/dub/")[0], tmp_path / "mount")
    moved = [str(tmp_path / "mount" / path.partition("/music/")[2]) for path in music.data]
    per_track = mfcc(memory=tmp_path / "cache", file_identity="content").fit(music.data)
    per_track.transform(music.data)
    with on(client):
        per_track.fit_transform(moved)
    assert per_track.n_hits_ == len(moved)


def test_steps_are_sent_once(client, tmp_path):
    tracks = [str(i) for i in range(12)]
    step = LoggingStep(str(tmp_path))
    with on(client):
        Xt = PerTrack(step).transform(tracks)
    np.testing.assert_array_equal(Xt[:, 0], np.arange(12.0))
    loads = step.read("loads")
    assert 1 <= len(loads) == len(set(loads)) <= N_WORKERS


def test_a_killed_worker_costs_its_tracks_only(client, tmp_path):
    tracks = [str(i) for i in range(30)]
    step = LoggingStep(str(tmp_path), killer="13", n_kills=1)
    with on(client):
        Xt = PerTrack(step).transform(tracks)
    np.testing.assert_array_equal(Xt[:, 0], np.arange(30.0))
    assert step.read("kills") == ["13"]
    done = step.read("tracks")
    assert set(done) == set(tracks)
    # joblib hands out two tasks for each worker, and the next when it has a result.
    assert len(done) <= len(tracks) + 2 * N_WORKERS


def test_a_worker_without_the_file_is_named(client, music, model, tmp_path, monkeypatch):
    # Relative paths start at the working directory, which is another one in workers.
    monkeypatch.chdir(music.data[0].rpartition("/")[0])
    name = music.data[0].rpartition("/")[2]
    assert mfcc().transform([name, name]).shape[0] == 2
    with on(client), pytest.raises(FileNotFoundError, match=f"{name} does not exist") as caught:
        mfcc().transform([name, name])
    assert any(worker in str(caught.value) for worker in client.scheduler_info()["workers"])
    absent = str(tmp_path / "absent.wav")
    with on(client):
        (found, lost) = predict_files(model, [name, absent])
    assert (found.path, found.status) == (name, "ok")
    assert lost.status == "error"
    assert absent in lost.reason
    assert any(worker in lost.reason for worker in client.scheduler_info()["workers"])


@pytest.mark.slow
def test_a_file_that_kills_its_workers_becomes_an_error(client, music, tmp_path):
    killer = shutil.copy(music.data[0], tmp_path / "killer.wav")
    files = [*music.data[:3], str(killer), *music.data[3:6]]
    client.cluster.scheduler.allowed_failures = 0
    try:
        with on(client):
            found = list(predict_files(KillingClassifier(), files))
            with pytest.raises(ChildProcessError, match=r"killer.wav: .* ran this died"):
                list(predict_files(KillingClassifier(), files[2:4], on_error="raise"))
    finally:
        client.cluster.scheduler.allowed_failures = 3
    assert [record.path for record in found] == files
    assert [record.status for record in found] == ["ok"] * 3 + ["error"] + ["ok"] * 3
    assert "died" in found[3].reason


@pytest.mark.slow
def test_a_single_worker_does_the_work(tmp_path):
    step = LoggingStep(str(tmp_path))
    with local_cluster(1) as client:
        (pid,) = client.run(os.getpid).values()
        with joblib.parallel_config("dask", client=client):
            PerTrack(step).transform(["0", "1", "2"])
    assert step.read("loads") == [str(pid)]


@pytest.mark.slow
def test_one_blas_thread_on_workers(client):
    def count(X):
        pools = threadpoolctl.threadpool_info()
        return np.array([[pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]])

    step = FunctionTransformer(count)
    with on(client):
        assert (PerTrack(step).transform(["0", "1"]) == 1).all()


@pytest.mark.slow
def test_predictions_equal_the_local_ones_and_resume(client, music, model, tmp_path):
    expected = list(predict_files(model, music.data, segments=True))
    with on(client):
        found = list(predict_files(model, iter(music.data), segments=True))
    assert plain(found) == plain(expected)
    target = tmp_path / "records.jsonl"
    for n_files in (3, 8):
        opened = open_records(target, model.classes_, segments=True, resume=True)
        with opened as records, on(client):
            for record in predict_files(
                model, music.data[:n_files], segments=True, skip=records.is_recorded
            ):
                records.write(record)
    assert plain(read_records(target)) == plain(expected)
    assert not workers_with_tensorflow(client)


@pytest.mark.slow
def test_an_object_that_cannot_be_sent_is_named(client, model, music):
    with open(music.data[0], "rb") as stream, on(client):
        predictions = predict_files(model, music.data, skip=lambda path, key: stream.closed)
        with pytest.raises(TypeError, match="cannot be sent to Dask workers"):
            next(predictions)


@pytest.mark.slow
def test_evaluate_equals_the_local_run(client, music, tmp_path):
    pipeline = make_pipeline(mfcc(), FunctionTransformer(flat), SVC())
    for estimator in (pipeline, GenreClassifier(members=["svc"], n_excerpts=0, random_state=0)):
        results = []
        for config in (joblib.parallel_config(n_jobs=1), on(client)):
            with config:
                results.append(
                    evaluate(
                        estimator,
                        (music.data, music.target),
                        protocol="track-random",
                        n_folds=2,
                        random_state=0,
                    )
                )
        local, spread = results
        assert local.tracks == spread.tracks
        assert local.overall == spread.overall


def flat(X):
    return X.reshape(len(X), -1)


@pytest.mark.slow
def test_grid_search_equals_the_local_run(client, music, tmp_path):
    pipeline = Pipeline(
        [("features", mfcc(memory=tmp_path)), ("flat", FunctionTransformer(flat)), ("svc", SVC())]
    )
    grid = GridSearchCV(
        pipeline, {"svc__C": [0.01, 1.0], "features__mfccextractor__n_mfcc": [5, 13]}, cv=2
    )
    local = grid.fit(music.data, music.target).cv_results_
    with on(client):
        spread = grid.fit(music.data, music.target).cv_results_
    np.testing.assert_array_equal(spread["mean_test_score"], local["mean_test_score"])


@pytest.mark.slow
def test_commands_on_local_workers(music, model, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(music.data[0].rpartition("/music/")[0])  # relative paths
    train = ["train", "music", "--cv", "2", "--metadata", "none", "--out"]
    outputs = []
    for name, options in (("here", []), ("spread", ["--dask", "local:2"])):
        file = str(tmp_path / f"{name}.skgenre")
        assert main([*train, file, *options]) == 0, capsys.readouterr().err
        outputs.append(capsys.readouterr().out.replace(file, ""))
        assert main(["predict", file, "music", "none.wav", "--json", *options]) == 1
        records = json.loads(capsys.readouterr().out)
        outputs[-1] += "".join(f"{r['path']} {r['probabilities']}" for r in records)
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("value", ["local:0", "local:two", "local:", "host"])
def test_a_wrong_address_is_an_error(value, capsys):
    assert main(["predict", "m.skgenre", "x.wav", "--dask", value]) == 2
    assert value in capsys.readouterr().err


@pytest.mark.parametrize("scheme", ["", "tcp://"])
def test_a_scheduler_that_does_not_answer_is_an_error_with_advice(scheme):
    dask = pytest.importorskip("dask")
    with socket.socket() as stopped:
        stopped.bind(("127.0.0.1", 0))  # bound, but nothing listens
        address = f"{scheme}127.0.0.1:{stopped.getsockname()[1]}"
        with (
            dask.config.set({"distributed.comm.timeouts.connect": "0.3s"}),
            pytest.raises(OSError, match=rf"answers at {address}: .*start one by `dask scheduler`"),
            dask_cluster(address),
        ):
            pass


def test_the_missing_extra_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["predict", "m.skgenre", "x.wav", "--dask", "local:2"]) == 2
    assert 'pip install "skgenre[dask]"' in capsys.readouterr().err


def test_jobs_and_dask_exclude_each_other(capsys):
    assert main(["predict", "m.skgenre", "x.wav", "--dask", "local:2", "--jobs", "2"]) == 2
    assert "not allowed with" in capsys.readouterr().err
