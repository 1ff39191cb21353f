"""What the site needs beyond docs/: pages from other folders, their links, and lists of modules.

Links in the sources are relative to their own file, so that they also work where the repository is
browsed. On the site, links to files that are no page become plain text.
"""

import ast
import re
from collections.abc import Iterator
from os.path import normpath
from pathlib import Path
from posixpath import dirname, join, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Repository path to page of the site.
PAGES = {
    "model/MODEL_CARD.md": "model-card.md",
    "images/README.md": "training-data.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
FIGURES = {f"model/{path.name}": path.name for path in (ROOT / "model").glob("*.png")}
_LINK = re.compile(r"(!?\[[^\]]*\])\(([^():#\s]+)(#[^()\s]*)?\)")
_ROLE = re.compile(r":(?:attr|class|func|meth|mod):(?=<code>)")
_ALL_MODULES = re.compile(r"^::: ([\w.]+)\.\*$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and figures from other folders."""
    for source, target in (PAGES | FIGURES).items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page with links to pages of the site, and ``::: package.*`` spelled out."""
    uri = page.file.src_uri
    source = {target: path for path, target in PAGES.items()}.get(uri, f"docs/{uri}")

    def relink(link: re.Match[str]) -> str:
        label, path, anchor = link.groups()
        target = normpath(join(dirname(source), path))
        known = PAGES | FIGURES
        if target not in known and not target.startswith("docs/"):
            return label.strip("![]")
        place = known.get(target) or target.removeprefix("docs/")
        return f"{label}({relpath(place, dirname(uri) or '.')}{anchor or ''})"

    markdown = _LINK.sub(relink, markdown)
    return _ALL_MODULES.sub(lambda package: "\n".join(_modules(package[1])), markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page without the role names of docstrings, such as ``:func:``."""
    return _ROLE.sub("", html)


def _modules(package: str) -> Iterator[str]:
    """Yield a directive for every module of a package and of the packages in it."""
    folder = ROOT / package.replace(".", "/")
    for path in sorted(folder.rglob("*.py")):
        names = path.relative_to(ROOT).with_suffix("").parts
        if "migrations" in names:
            continue
        if names[-1] != "__init__":
            yield f"::: {'.'.join(names)}"
        elif own := _definitions(path):
            # What a package takes from its modules is described there.
            yield f"::: {'.'.join(names[:-1])}\n    options:\n      members: [{', '.join(own)}]"


def _definitions(path: Path) -> list[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [
        node.name
        for node in body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]
