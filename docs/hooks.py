"""What the site needs beyond docs/: pages from other folders, and links that lead to them.

Links in the sources are relative to their own file, so that they also work where the repository is
browsed. On the site, links to files that are no page become plain text.
"""

import re
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


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and figures from other folders."""
    for source, target in (PAGES | FIGURES).items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page whose links lead to pages of the site."""
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

    return _LINK.sub(relink, markdown)
