"""Size and structure of the code: ``python -m benchmarks.code_metrics [TREE ...]``.

Prints one column for each tree, for example checkouts of other commits (default: this one):

- lines of code of ``skgenre`` and ``tests``, without blank lines, docstrings and comments;
- modules of ``skgenre``;
- private cross-package imports: imports of a module or name with a leading underscore from
  another package of skgenre, except the shared helpers (``utils``, or top-level modules);
- circles: groups of packages that import each other, including imports inside functions;
- repeated places: pairs of places that share six or more lines, ignoring names and literals;
- files crossed: modules of skgenre that run code during one ``fit`` of a CNN, and during one
  ``predict`` of a fitted GenreClassifier from files.
"""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import token
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

_RUN = 6  # lines
_TOO_COMMON = 8  # ignore runs that occur in more places

_CROSSED = """
import os, sys, threading, warnings
warnings.simplefilter("ignore")
import numpy as np, skgenre
root = os.path.dirname(skgenre.__file__)
if {what!r} == "fit":
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 2, 20, 3)).astype(np.float32), np.repeat(["a", "b"], 4)
    skgenre.CNNGenreClassifier(epochs=1, random_state=0).fit(X, y)
    work = lambda: skgenre.CNNGenreClassifier(epochs=2, random_state=0).fit(X, y)
else:
    import tempfile
    folder = tempfile.mkdtemp()
    music = skgenre.make_genres(
        4, genres=["dub", "swing"], duration=12.0, path=folder, random_state=0
    )
    model = skgenre.GenreClassifier(("svc",), random_state=0).fit(music.data, music.target)
    work = lambda: model.predict(music.data[:1])
work()
seen = set()
def note(frame, event, argument):
    if event == "call" and frame.f_code.co_filename.startswith(root):
        seen.add(os.path.relpath(frame.f_code.co_filename, root))
threading.setprofile(note)
sys.setprofile(note)
work()
sys.setprofile(None)
print(*sorted(seen), sep="\\n")
"""


def code_lines(source: str) -> list[tuple[int, str]]:
    """Return number and text of each line that is neither blank, comment nor docstring."""
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                skipped.update(range(value.lineno, (value.end_lineno or value.lineno) + 1))
    return [
        (number, line)
        for number, line in enumerate(source.splitlines(), 1)
        if number not in skipped and line.strip() and not line.lstrip().startswith("#")
    ]


def _sources(tree: Path, *folders: str) -> dict[Path, str]:
    paths = [path for folder in folders for path in sorted((tree / folder).rglob("*.py"))]
    return {path.relative_to(tree): path.read_text(encoding="utf-8") for path in paths}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from _imports(node)


def imports(sources: dict[Path, str]) -> tuple[int, int]:
    """Count the private cross-package imports, and the circles of packages."""
    private = set()
    uses: dict[str, set[str]] = defaultdict(set)
    packages = {path.parts[1] for path in sources if len(path.parts) > 2}
    for path, source in sources.items():
        own = path.parts[1]
        for name in _imports(ast.parse(source)):
            parts = name.split(".")
            if parts[0] != "skgenre" or len(parts) < 2 or parts[1] not in packages - {own}:
                continue
            if own in packages:
                uses[own].add(parts[1])
            module = ".".join(part for part in parts[1:] if part != parts[-1] or part[0] == "_")
            if parts[1] != "utils" and any(part.startswith("_") for part in parts[2:]):
                private.add((path, module))
    reach = {package: _reached(package, uses) for package in packages}
    circles = {
        frozenset(other for other in reach[one] if one in reach[other])
        for one in packages
        if one in reach[one]
    }
    return len(private), len(circles)


def _reached(start: str, uses: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = uses[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


def _shape(line: str) -> str:
    """Return a line with its names and literals masked; "" for lines to ignore."""
    words = []
    try:
        for found in tokenize.generate_tokens(io.StringIO(line.strip() + "\n").readline):
            is_name = found.type == token.NAME
            keyword = is_name and found.string in ("def", "class", "for", "if", "return", "with")
            if is_name and not keyword:
                words.append("n")
            elif found.type in (token.NUMBER, token.STRING):
                words.append("v")
            else:
                words.append(found.string)
    except (tokenize.TokenError, SyntaxError, IndentationError):
        words = line.split()
    return "" if line.lstrip().startswith(("import ", "from ")) else " ".join(words).strip()


def repeated_places(sources: dict[Path, str]) -> int:
    """Count the pairs of places that share a run of lines of the same shape."""
    shapes = {
        path: [shape for _, line in code_lines(source) if len(shape := _shape(line)) > 3]
        for path, source in sources.items()
    }
    places = defaultdict(list)
    for path, lines in shapes.items():
        for i in range(len(lines) - _RUN + 1):
            places[tuple(lines[i : i + _RUN])].append((path, i))
    shared = {
        pair
        for found in places.values()
        if len(found) <= _TOO_COMMON
        for pair in combinations(found, 2)
    }
    # Count a longer run once: its windows follow each other on both sides.
    return sum(((a, i - 1), (b, j - 1)) not in shared for (a, i), (b, j) in shared)


def crossed(tree: Path, what: str) -> list[str]:
    """List the modules that run code during a fit of a CNN or a predict from a file."""
    done = subprocess.run(
        [sys.executable, "-c", _CROSSED.format(what=what)],
        cwd=tree,  # first on Python's search path
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def measure(tree: Path) -> dict[str, int]:
    """Measure one tree."""
    package, tests = _sources(tree, "skgenre"), _sources(tree, "tests")
    n_private, n_circles = imports(package)
    return {
        "lines of code, skgenre": sum(len(code_lines(text)) for text in package.values()),
        "lines of code, tests": sum(len(code_lines(text)) for text in tests.values()),
        "modules of skgenre": len(package),
        "private cross-package imports": n_private,
        "circles of packages": n_circles,
        "pairs of repeated places": repeated_places(_sources(tree, "skgenre", "tests")),
        "files crossed by a fit of a CNN": len(crossed(tree, "fit")),
        "files crossed by a predict of GenreClassifier": len(crossed(tree, "predict")),
    }


def main() -> None:
    if len(sys.argv) > 2 and sys.argv[1] == "--crossed":
        for what in ("fit", "predict"):
            print(what, *crossed(Path(sys.argv[2]).resolve(), what), sep="\n  ")
        return
    trees = [Path(name).resolve() for name in sys.argv[1:]] or [Path(__file__).parents[1]]
    found = [measure(tree) for tree in trees]
    print("| measure | " + " | ".join(map(str, trees)) + " |")
    print("| --- |" + " ---: |" * len(trees))
    for name in found[0]:
        print(f"| {name} | " + " | ".join(str(column[name]) for column in found) + " |")


if __name__ == "__main__":
    main()
