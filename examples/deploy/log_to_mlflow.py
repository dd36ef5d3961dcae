"""Keep a model in MLflow as data, with a signature and an example of its input.

It needs ``pip install mlflow``.
"""

from collections.abc import Sequence
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import infer_signature

import skgenre


def log_model(model: Any, paths: Sequence[str], *, name: str = "genre") -> Any:
    """Log a fitted classifier of paths; return what MLflow says of the logged model."""
    table = pd.DataFrame({"path": [str(path) for path in paths]})
    return mlflow.sklearn.log_model(
        model,
        name=name,
        serialization_format="skops",
        skops_trusted_types=skgenre.trusted_types(),
        pyfunc_predict_fn="predict_proba",
        signature=infer_signature(table, model.predict_proba(table)),
        input_example=table,
        pip_requirements=[f"skgenre=={skgenre.__version__}"],
    )
