"""Every text and every mark of the app's two themes can be seen on its background."""

import re
import sys
from itertools import product

import pytest
from paths import REPO
from wcag import contrast, mixed

from frontend.model_charts import DENSEST_CELL
from utils.emotions import COLORS_ON_DARK, COLORS_ON_LIGHT, EMOTIONS, UNKNOWN_COLOR

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT, MARK = 4.5, 3.0  # WCAG 2.2, criteria 1.4.3 and 1.4.11
THEMES = ("light", "dark")
FRONTEND = REPO / "frontend"
BACKGROUNDS = ("backgroundColor", "secondaryBackgroundColor")
TEXTS = [
    *product(("textColor", "quiet-text", "linkColor", "primaryColor"), BACKGROUNDS),
    ("primaryColor", "selected"),
    ("textColor", "densest cell"),
    ("on-primary", "primaryColor"),
]
MARKS = [*product((*EMOTIONS, "another class", "primaryColor"), BACKGROUNDS)]


def colors_of(theme: str) -> dict[str, str]:
    """Return the colours of the configuration, the stylesheet and the emotions by name."""
    text = (FRONTEND / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    colors: dict[str, str] = dict(tomllib.loads(text)["theme"][theme])
    style = (FRONTEND / "style.css").read_text(encoding="utf-8")
    tokens = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    colors |= {name: values[THEMES.index(theme)] for name, *values in tokens}
    colors |= COLORS_ON_DARK if theme == "dark" else COLORS_ON_LIGHT
    # Streamlit tints what is selected with a tenth of the primary colour.
    selected = mixed(colors["primaryColor"], 0.1, colors["backgroundColor"])
    cell = mixed(colors["primaryColor"], DENSEST_CELL, colors["backgroundColor"])
    return colors | {
        "another class": UNKNOWN_COLOR,
        "selected": selected,
        "densest cell": cell,
    }


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "background"), TEXTS)
def test_a_text_can_be_read(theme: str, text: str, background: str) -> None:
    colors = colors_of(theme)
    assert contrast(colors[text], colors[background]) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("mark", "background"), MARKS)
def test_a_line_or_a_bar_can_be_seen(theme: str, mark: str, background: str) -> None:
    colors = colors_of(theme)
    assert contrast(colors[mark], colors[background]) >= MARK
