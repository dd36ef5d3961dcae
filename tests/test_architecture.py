"""Imports go downward only, and no package uses another's private modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import skgenre

PACKAGE = Path(skgenre.__file__).parent
# From the lowest to the highest. Packages of one level do not import each other.
LEVELS = [
    {"utils", "base"},
    {"audio", "networks"},
    {"features", "preprocessing", "datasets", "tags", "duplicates"},
    {"pipeline", "embeddings"},
    {"similarity"},
    {"classifiers"},
    {"plotting"},
    {"evaluation"},
    {"papers", "persistence"},
    {"onnx"},
    {"catalogue"},
    {"web"},
    {"cli", "integrations"},
]
LEVEL = {package: level for level, packages in enumerate(LEVELS) for package in packages}
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def _package(module):
    return Path(module).parts[0].removesuffix(".py")


def _imports(tree):
    """Yield the absolute name of each import, those inside functions too.

    What is imported for type checkers alone does not count.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from _imports(node)


def imports_of(module):
    """List what a module imports of other packages of ours, as ("features", "_mel", ...)."""
    names = _imports(ast.parse((PACKAGE / module).read_text(encoding="utf-8")))
    ours = [tuple(name.split(".")[1:]) for name in names if name.startswith("skgenre.")]
    return [name for name in ours if name[0] != _package(module)]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_of_a_module_go_downward(module):
    if module.parent == Path() and module.name in ("__init__.py", "__main__.py"):
        return  # the entrances, which everything else stands behind
    own = LEVEL[_package(module)]
    for package, *_ in imports_of(module):
        if package in LEVEL:  # the others are public names of the package as a whole
            same_level = own == 0 == LEVEL[package]  # utils and base lean on each other's files
            assert LEVEL[package] < own or same_level, f"{module} imports {package}"
        else:
            assert own == len(LEVELS) - 1, f"{module} imports skgenre.{package}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_private_modules_stay_inside_their_package(module):
    for package, *names in imports_of(module):
        private = [name for name in names if name.startswith("_")]
        assert package == "utils" or not private, f"{module} imports {package}.{'.'.join(names)}"


def test_every_package_has_a_level():
    packages = {_package(module) for module in MODULES} - {"__init__", "__main__"}
    assert packages == set(LEVEL)


def test_modules_of_utils_and_base_import_each_other_without_a_circle():
    edges = {}
    for module in MODULES:
        if _package(module) in ("utils", "base"):
            names = _imports(ast.parse((PACKAGE / module).read_text(encoding="utf-8")))
            targets = {".".join(n.split(".")[1:3]) for n in names if n.startswith("skgenre.")}
            edges[".".join(module.with_suffix("").parts)] = targets
    for start in edges:
        seen, waiting = set(), [start]
        while waiting:
            for target in edges.get(waiting.pop(), ()):
                name = "base" if target.startswith("base.") else target
                assert name != start, f"{start} imports itself through others"
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
