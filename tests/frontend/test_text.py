"""Names and messages that others chose are shown as they are, not rendered as Markdown.

How Streamlit renders them is checked in a browser: tests/browser/test_foreign_text.py.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hostile_names import HOSTILE, HOSTILE_MARKDOWN
from paths import REPO
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from frontend.text import plain, visible, without_images

FILES = sorted((REPO / "frontend").rglob("*.py"))
# Their options are rendered, as what `format_func` returns.
CHOICES = {"pills", "segmented_control", "radio", "select_slider"}
OUR_FUNCTIONS = {"plain", "plain_table", "without_images", "link_to", "len", "range"}
NUMBER = re.compile(r"[-+,.0-9]*[dfg%,]")


@cache
def markdown_parameters(function: str) -> frozenset[str]:
    """Return the parameters of a Streamlit function that its documentation calls Markdown."""
    method = getattr(DeltaGenerator, function, None)
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", inspect.getdoc(method) or "", re.S | re.M
    )
    if function.startswith("_") or not section:
        return frozenset()
    blocks = re.split(r"^(?=\S[^\n]* : )", section[1], flags=re.M)
    found = {block.split(" : ")[0].lstrip("*") for block in blocks if "markdown" in block.lower()}
    shown = set(inspect.signature(method).parameters) - {"format_func", "unsafe_allow_html"}
    return frozenset(found & shown)


def is_ours(node: ast.expr) -> bool:
    """Whether a text is the author's own: literals, constants, numbers and what is escaped."""
    match node:
        case ast.JoinedStr(values=parts) | ast.List(elts=parts) | ast.BoolOp(values=parts):
            return all(map(is_ours, parts))
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=form)])):
            return NUMBER.fullmatch(form) is not None
        case ast.FormattedValue(value=value) | ast.Lambda(body=value) | ast.ListComp(elt=value):
            return is_ours(value)
        case ast.IfExp(body=left, orelse=right) | ast.BinOp(left=left, right=right):
            return is_ours(left) and is_ours(right)
        case ast.Call(func=ast.Name(id=name)):
            return name in OUR_FUNCTIONS
        case ast.Subscript(value=ast.Name(id=name)) | ast.Name(id=name):
            return name.isupper() or name == "plain"
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="read_text")):
            return name.isupper()
    return isinstance(node, ast.Constant)


def foreign_texts(tree: ast.AST) -> Iterator[str]:
    """Yield each argument that Streamlit renders as Markdown although others may have chosen it."""
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Attribute(value=owner, attr=function)):
                names = markdown_parameters(function)
            case _:
                continue
        if not names or ast.unparse(owner) == "store":
            continue
        parameters = list(inspect.signature(getattr(DeltaGenerator, function)).parameters)[1:]
        given = dict(zip(parameters, call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        if function in CHOICES and is_ours(given.get("format_func", ast.Name("str"))):
            del given["options"]
        for name in names & set(given):
            if not is_ours(given[name]):
                yield f"line {call.lineno}: {function}({name}={ast.unparse(given[name])})"


@pytest.mark.parametrize("path", FILES, ids=[path.relative_to(REPO).as_posix() for path in FILES])
def test_what_is_rendered_is_ours_or_escaped(path: Path) -> None:
    found = list(foreign_texts(ast.parse(path.read_text(encoding="utf-8"))))
    assert not found, "Streamlit renders this as Markdown: use frontend.text.plain"


@pytest.mark.parametrize(
    "code",
    [
        "st.error(str(error))",
        "st.header(session.name)",
        "left.caption(f'in {name}')",
        "st.caption(f'{name:>20}')",
        "st.button('Play ' + name)",
        "st.tabs([name])",
        "st.image(picture, caption=name)",
        "st.table(failures)",
        "st.pills('Pictures', names)",
        "st.pills('Pictures', names, format_func=str)",
        "st.slider('Light', help=advice)",
        "st.metric('Files', value=name)",
        "st.toast(message)",
        "st.expander(name)",
        "st.progress(0.5, message)",
        "st.popover(name)",
        "st.write(name)",
    ],
)
def test_foreign_texts_are_found(code: str) -> None:
    assert list(foreign_texts(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "st.error(plain(error))",
        "st.caption(f'{plain(name)}, {seconds:.1f} s, {len(rows)} of {LIMIT}')",
        "st.pills('Pictures', names, format_func=plain)",
        "st.tabs(['One', 'Two'])",
        "st.altair_chart(chart)",
        "store.table(session)",
    ],
)
def test_own_texts_are_accepted(code: str) -> None:
    assert not list(foreign_texts(ast.parse(code)))


@pytest.mark.parametrize("text", [*HOSTILE, *HOSTILE_MARKDOWN])
def test_a_text_stays_one_visible_line(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert shown == " ".join(shown.split())
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", shown)


def test_ordinary_names_are_left_alone() -> None:
    for name in ("photo 1.jpg", "Müller, 3.5 m (2).png", "a: b", "/data/photos", "v1.2", "50 %"):
        assert plain(name) == visible(name) == name


def test_any_name_can_be_sent_to_the_browser() -> None:
    def page(names: list[str]) -> None:
        import streamlit as st

        from frontend.components import notices
        from frontend.text import plain

        for name in names:
            st.error(plain(name))
            notices.status_line(name, hint=name)

    names = [*HOSTILE, *HOSTILE_MARKDOWN]
    app = AppTest.from_function(page, kwargs={"names": names}, default_timeout=60).run()
    assert not app.exception
    assert len(app.error) == len(names)


@pytest.mark.parametrize(
    "document",
    [
        "![a](http://elsewhere.test/a.png)",
        "text ![a\nb](http://elsewhere.test/a.png 'title') text",
        "![a][b]\n\n[b]: http://elsewhere.test/b.png",
        "!![](x)[a](http://elsewhere.test/a.png)",
        "[![a](b)](c)",
        "!!![a](b",
    ],
)
def test_a_model_card_has_no_images(document: str) -> None:
    assert "![" not in without_images(document)


def test_a_model_card_has_no_diagrams() -> None:
    card = "# Card\n\n```mermaid\ngraph TD\n```\n\n> ~~~ Mermaid\n> graph\n\nThe mermaid"
    kept = "# Card\n\n```\ngraph TD\n```\n\n> ~~~ \n> graph\n\nThe mermaid"
    assert without_images(card) == kept
