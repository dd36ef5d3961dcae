"""Backends of joblib that are not its own, as users register them."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

from joblib import register_parallel_backend
from joblib.parallel import ParallelBackendBase


class KeepingBackend(ParallelBackendBase):
    """Keeps tasks as keys and sends pickles of them, as backends of clusters do."""

    uses_threads = True
    supports_sharedmem = True
    supports_return_generator = True
    supports_retrieve_callback = True

    def effective_n_jobs(self, n_jobs):
        return 2

    def configure(self, n_jobs=1, parallel=None, **options):
        self.parallel, self.pool, self.sent = parallel, ThreadPoolExecutor(2), {}
        return 2

    def submit(self, batch, callback=None):
        for function, *_ in batch.items:
            self.sent[getattr(function, "__self__", function)] = pickle.dumps(function)
        future = self.pool.submit(batch)
        future.add_done_callback(callback)
        return future

    def retrieve_result(self, future, timeout=None):
        return future.result(timeout)

    def retrieve_result_callback(self, future):
        return future.result()

    def terminate(self):
        self.pool.shutdown()


class CollectingBackend(KeepingBackend):
    """Hands out results when all of a round are there."""

    supports_return_generator = False


CUSTOM_BACKENDS = ["keeping", "collecting"]
for _name, _backend in zip(CUSTOM_BACKENDS, [KeepingBackend, CollectingBackend], strict=True):
    register_parallel_backend(_name, _backend)
