"""Check a built site: ``python docs/check_site.py SITE`` lists its faults.

Pages must load nothing from other hosts (scripts, styles, fonts, images, sounds), links inside the
site must lead to a page and an anchor that exist, and the files for other programs must be there.
"""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# The attribute with the address of what a browser loads by itself, for each tag.
LOADED = {
    "script": "src",
    "img": "src",
    "audio": "src",
    "video": "src",
    "source": "src",
    "iframe": "src",
    "embed": "src",
    "object": "data",
}
LOADING_RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect"}
LOADING_RELATIONS |= {"dns-prefetch", "manifest", "shortcut", "mask-icon", "apple-touch-icon"}
NEEDED = ["index.html", "404.html", "llms.txt", "_static/switcher.json", "search.html"]
WITHOUT_CARD = {"_static", "search.html", "genindex.html", "py-modindex.html", "404.html"}


class Page(HTMLParser):
    """The addresses and anchors of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.properties: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what the tag loads, where it links, and what can be linked."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and LOADING_RELATIONS & set(values.get("rel", "").split()):
            self.loaded.append(values.get("href", ""))
        elif tag == "meta":
            self.properties.add(values.get("property", ""))
        elif values.get(LOADED.get(tag, ""), ""):
            self.loaded.append(values[LOADED[tag]])
        self.loaded += re.findall(r"url\(\s*['\"]?([^'\")]+)", values.get("style", ""))


def is_elsewhere(address: str) -> bool:
    """Whether an address is on another host."""
    return bool(urlsplit(address).netloc)


def find_faults(site: Path) -> list[str]:
    """Return a line for each fault of the site."""
    faults = [f"{name} is missing" for name in NEEDED if not (site / name).is_file()]
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site)
        faults += [f"{name} loads {a}" for a in page.loaded if is_elsewhere(a)]
        for link in page.links:
            target = urlsplit(link)
            if target.scheme or target.netloc or name.name == "404.html":
                continue  # the addresses of the page of errors start at the root of the host
            file = (path.parent / unquote(target.path)).resolve() if target.path else path
            if not file.exists():
                faults.append(f"{name} links to {link}, which does not exist")
                continue
            anchors = pages[file].anchors if file in pages else {target.fragment}
            if target.fragment and unquote(target.fragment) not in anchors:
                faults.append(f"{name} links to {link}, which has no such anchor")
        if name.parts[0] not in WITHOUT_CARD and "og:title" not in page.properties:
            faults.append(f"{name} has no OpenGraph title")
    for path in sorted(site.rglob("*.css")):
        for address in re.findall(r"url\(\s*['\"]?([^'\")]+)", path.read_text(encoding="utf-8")):
            if is_elsewhere(address):
                faults.append(f"{path.relative_to(site)} loads {address}")
    if (site / "_static/switcher.json").is_file():
        json.loads((site / "_static/switcher.json").read_text(encoding="utf-8"))
    return faults


def main() -> int:
    """Print the faults of the site named on the command line."""
    faults = find_faults(Path(sys.argv[1]).resolve())
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
