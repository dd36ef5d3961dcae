import os
import subprocess
import sys

import pytest

_SCRIPT = """
import os
import numpy as np
from skgenre import Augmenter
Augmenter(random_state=0).fit_transform(np.zeros((1, 1, 12000), dtype=np.float32))
print(os.environ["XDG_CACHE_HOME"])
"""


@pytest.mark.slow
def test_librosa_is_imported_where_no_folder_can_be_written(tmp_path):
    """As for the user of a container who has no home and does not own the packages."""
    nowhere = os.path.join(os.devnull, "home")
    env = {**os.environ, "HOME": nowhere, "NUMBA_CACHE_LOCATOR_CLASSES": "UserWideCacheLocator"}
    env |= {"XDG_CACHE_HOME": nowhere, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SCRIPT], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert not list(tmp_path.iterdir())  # the folder is removed at the end
