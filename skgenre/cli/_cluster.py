"""The option ``--dask``: tasks of a command on a Dask cluster."""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skgenre.utils._extras import MissingExtraError, check_installed


def address(text: str) -> str:
    """Check the argument of ``--dask``: the address of a scheduler, or local:N."""
    kind, _, number = text.partition(":")
    if kind == "local" and not re.fullmatch("[1-9][0-9]*", number):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of workers; give local:N with N of 1 or more, such as local:4"
        )
    if ":" not in text:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address of a Dask scheduler, such as tcp://10.0.0.1:8786, nor local:N"
        )
    try:
        check_installed("This needs", "dask", "distributed")
    except MissingExtraError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


@contextmanager
def dask_cluster(target: str | None) -> Iterator[Any]:
    """Let joblib run tasks on a Dask cluster within this block.

    Parameters
    ----------
    target : str or None
        The address of a scheduler, or "local:N" for N worker processes on this machine, which end
        with the block. None leaves joblib as it is.

    Yields
    ------
    client : distributed.Client or None
        The connection to the cluster.
    """
    if target is None:
        yield None
        return
    import joblib
    from distributed import Client, LocalCluster

    with (
        _local_cluster(LocalCluster, target) as scheduler,
        _connect(Client, scheduler) as client,
        joblib.parallel_config(backend="dask", client=client),
    ):
        yield client


@contextmanager
def _local_cluster(cluster: Any, target: str) -> Iterator[Any]:
    kind, _, number = target.partition(":")
    if kind != "local":
        yield target
        return
    with cluster(
        n_workers=int(number),
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # None would take port 8787 of all addresses
    ) as started:
        yield started


def _connect(client: Any, scheduler: Any) -> Any:
    try:
        return client(scheduler)
    except OSError as error:  # also when nothing answers in time
        raise OSError(
            f"No Dask scheduler answers at {scheduler}: {error}. Check the address, start one by "
            "`dask scheduler`, or give local:N for N worker processes here."
        ) from error


def check_shared(client: Any, folder: str) -> None:
    """Check that all workers see a folder of this machine.

    Parameters
    ----------
    client : distributed.Client or None
        The connection to the cluster; None checks nothing.
    folder : str
        The folder; it is made if it is not there.

    Raises
    ------
    ValueError
        If a worker does not see what is written into it here.
    """
    if client is None:
        return
    os.makedirs(folder, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="seen-by-workers-") as file:
        sees = client.run(os.path.exists, os.path.abspath(file.name))
    blind = [worker for worker, found in sees.items() if not found]
    if blind:
        raise ValueError(
            f"{len(blind)} of {len(sees)} Dask workers do not see the folder {folder}, through "
            f"which they hand over features, such as {blind[0]}. Give --memory FOLDER that all "
            "workers and this machine have under the same path."
        )
