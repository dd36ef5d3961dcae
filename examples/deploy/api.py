"""A service that takes a file and returns the probabilities of its genres.

``SKGENRE_MODEL=model.skgenre uvicorn api:app``, in the folder of this file. It needs
``pip install fastapi python-multipart uvicorn``.
"""

import os
import tempfile
from pathlib import Path

from fastapi import FastAPI, HTTPException, UploadFile

import skgenre

MAX_BYTES = 50_000_000
app = FastAPI()
model = skgenre.load(os.environ["SKGENRE_MODEL"])


@app.post("/genre")
def genre(file: UploadFile) -> dict[str, float]:
    """Return the probability of each genre; FastAPI calls this in a thread of its own."""
    content = file.file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise HTTPException(413, f"The file has more than {MAX_BYTES} bytes.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"  # not the name that the sender gives
        path.write_bytes(content)
        try:
            proba = model.predict_proba([path])[0]
        except ValueError as error:
            raise HTTPException(422, str(error).replace(str(path), "The file")) from error
    return dict(zip(map(str, model.classes_), proba.tolist(), strict=True))
