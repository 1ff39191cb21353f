"""Foreign text: names, messages and labels that somebody else chose, shown as they are.

Streamlit renders most texts and labels as Markdown, with extensions. A file or session named
``![](http://example.org/x.png)`` would make every viewer's browser fetch that image.
"""

import re
from collections.abc import Sequence

import pandas as pd

from utils.text import visible

__all__ = ["plain", "plain_table", "visible", "without_images"]

_MARKUP = re.compile(r"[\\`*_\[\]<>~$|&]|:(?=[\w:])|^[#+\-=]|(?<=\d)[.)](?=\s|$)")
# What Streamlit replaces after Markdown was parsed, so that no backslash protects it: icons and
# emojis, addresses, arrows.
_REPLACED = re.compile(
    r"(?<=:)(?=[\w+/-]+:|//)"
    r"|(?<=www)(?=\.)"
    r"|(?<=[\w.+-])(?=@[\w-])"
    r"|(?<=(?<!\S)[<>~-])(?=[>=-](?!\S))"
    r"|(?<=(?<!\S)<)(?=->(?!\S))",
    re.IGNORECASE,
)
# Images that are complete, what is left of others, and the diagrams of Mermaid.
_IMAGES = (
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"!+\["), "["),
    (re.compile(r"^(\W*[`~]{3,}\s*)mermaid\b", re.IGNORECASE | re.MULTILINE), r"\1"),
)
_WORD_JOINER = "\u2060"  # has no width


def plain(text: object) -> str:
    """Return the Markdown that Streamlit renders as exactly this text, on one line.

    Args:
        text: Anything with a text form, such as an error.
    """
    joined = _REPLACED.sub(_WORD_JOINER, visible(text))
    return _MARKUP.sub(r"\\\g<0>", joined)


def plain_table(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> pd.DataFrame:
    """Return a table for ``st.table``, whose cells are rendered as Markdown."""
    return pd.DataFrame([[plain(cell) for cell in row] for row in rows], columns=list(columns))


def without_images(markdown: str) -> str:
    """Return a Markdown document without its images, nor diagrams, which may contain some."""
    for pattern, kept in _IMAGES:
        markdown = pattern.sub(kept, markdown)
    return markdown
