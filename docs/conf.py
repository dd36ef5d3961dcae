"""Configuration of the site: ``sphinx-build -W -n docs site`` builds it without a network."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

import skgenre
from skgenre.utils._site import SITE

# The gallery runs in this process, and TensorFlow reads the level of its log when it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROOT = Path(__file__).parents[1]

project = "skgenre"
author = "The skgenre developers"
copyright = f"2026, {author}"  # noqa: A001  # Sphinx reads this name
release = skgenre.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "myst_parser",
    "numpydoc",
    "notfound.extension",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxext.opengraph",
]
exclude_patterns = ["_templates", "auto_examples/**/*.py.md5", "**/sg_execution_times.rst"]
exclude_patterns += ["sg_execution_times.rst"]
templates_path = ["_templates"]
default_role = "literal"
nitpicky = True

# Pages.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
suppress_warnings = ["config.cache"]  # the functions below cannot be pickled, and need not be

# Reference: one page a name, written from its docstring.
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's types say more
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Gallery: every example runs at each build.
sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"/deploy/",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skgenre",),
    "reference_url": {"skgenre": None},
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1,
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_", "__repr__"),
    "nested_sections": False,
    "default_thumb_file": str(ROOT / "docs" / "_static" / "logo.png"),
}

# Appearance. The theme, its icons and the search are files of the site itself.
html_theme = "pydata_sphinx_theme"
html_math_renderer = "mathml"
html_title = "skgenre"
html_baseurl = SITE
html_static_path = ["_static"]
html_css_files = ["skgenre.css"]
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": [], "quick_start": [], "install": []}
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["version-switcher", "theme-switcher"],
    "switcher": {"json_url": "_static/switcher.json", "version_match": version},
    "check_switcher": False,  # it asks the network for the file that this build writes
    "show_version_warning_banner": False,
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
notfound_urls_prefix = "/en/stable/"
ogp_site_url = SITE
ogp_site_name = "skgenre"
ogp_image = "_static/logo.png"
ogp_use_first_image = True
ogp_enable_meta_description = True
ogp_social_cards = {"enable": False}

MODULES = ["skgenre", "skgenre.evaluation", "skgenre.papers"]  # searched for names, in this order

# Where links out of the folder of pages lead in the site.
PAGES_OF_FILES = {
    "../benchmarks/README.md": "benchmarks.md",
    "../benchmarks/lab_notes.md": "lab_notes.md",
    "../CHANGELOG.md": "whats_new.md",
    "../README.md": "index.md",
    "../examples/plot_02_which_accuracy.py": "auto_examples/plot_02_which_accuracy.rst",
    "lab_notes.md": "lab_notes.md",
}


def use_pages_of_the_site(app, docname, source):
    """Turn links to files of the repository into links to their pages."""
    for file, page in PAGES_OF_FILES.items():
        source[0] = source[0].replace(f"]({file}", f"]({page}")


def use_pages_in_included_files(app, relative_path, parent_docname, source):
    """Do the same in files that a page includes, whose links are relative to their own folder."""
    for file, page in PAGES_OF_FILES.items():
        source[0] = source[0].replace(f"]({file}", f"]({page}")
    source[0] = source[0].replace("](../docs/", "](").replace("](docs/", "](")


def visit_math(translator, node):
    """Write an equation as MathML, which browsers draw without a library."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_math_block(translator, node):
    """Write an equation on a line of its own."""
    translator.body.append(convert(node.astext(), display="block"))
    raise nodes.SkipNode


def find_reference(app, env, node, contnode):
    """Resolve names of scikit-learn, and names of skgenre without their module.

    An inventory of scikit-learn's names would have to be downloaded; its addresses follow a rule.
    """
    target = node.get("reftarget", "")
    if target.startswith("sklearn."):
        uri = f"https://scikit-learn.org/stable/modules/generated/{target}.html"
        return nodes.reference("", "", contnode, internal=False, refuri=uri)
    if node.get("refdomain") == "py":
        python = env.get_domain("py")
        name = target.rsplit(".", 1)[-1]
        for found in (f"skgenre.{target}", *(f"{module}.{name}" for module in MODULES)):
            if found in python.objects:
                page = node.get("refdoc")
                return python.resolve_xref(env, page, app.builder, "obj", found, node, contnode)
    return None


def skip_members_of_others(app, what, name, member, skip, options):
    """Leave out what scikit-learn documents itself, such as ``get_params``."""
    function = member.fget if isinstance(member, property) else inspect.unwrap(member)
    module = getattr(function, "__module__", None)
    if what == "class" and module is not None and not str(module).startswith("skgenre"):
        return True
    return None


def write_llms_txt(app, exception):
    """Write ``llms.txt``: the title and the address of each page."""
    if exception is not None or app.builder.name != "html":
        return
    lines = ["# skgenre", "", "> Music genre recognition with scikit-learn, from audio files.", ""]
    sections = {"Guide": [], "Reference": [], "Examples": []}
    for name in sorted(app.env.titles):
        title = app.env.titles[name].astext()
        folder = name.split("/")[0] if "/" in name else ""
        section = {"generated": "Reference", "auto_examples": "Examples"}.get(folder, "Guide")
        sections[section].append(f"- [{title}]({SITE}{name}.html)")
    for section, entries in sections.items():
        lines += [f"## {section}", "", *entries, ""]
    (Path(app.outdir) / "llms.txt").write_text("\n".join(lines), encoding="utf-8")


def write_switcher(app):
    """Write the list of versions that the site's menu offers; a release adds its own."""
    versions = [{"name": f"{version} (development)", "version": version, "url": SITE}]
    path = Path(app.outdir) / "_static" / "switcher.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(versions, indent=1), encoding="utf-8")


def setup(app):
    """Connect the functions above."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.connect("source-read", use_pages_of_the_site)
    app.connect("include-read", use_pages_in_included_files)
    app.connect("missing-reference", find_reference)
    app.connect("autodoc-skip-member", skip_members_of_others)
    app.connect("builder-inited", write_switcher)
    app.connect("build-finished", write_llms_txt)
