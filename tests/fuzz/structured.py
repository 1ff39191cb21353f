"""Well-formed inputs whose content is made up: result files, options, tables, metadata."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import hypothesis
from dataset_files import FERPLUS_HEADER, USAGES
from hypothesis import HealthCheck, Phase, strategies as st
from hypothesis.strategies import SearchStrategy

from utils.emotions import EMOTIONS
from utils.media.tables.rows import COLUMNS

T = TypeVar("T")

_YAML = (
    "!!python/object:os.system x", "&a [*a]", "2001-99-99", "[" * 2000, "0x", "!!int x", "<<: 1",
    "!!binary '=', ", "{[1]: 2}", "1:99:99", "!!timestamp 1", "? ", "*b", "!!omap 1",
)  # fmt: skip

_NUMBERS = (0, -1, 2**31, 2**63, 10**400, 1e308, -0.0, float("nan"), float("inf"))
NUMBERS = st.one_of(st.integers(-5, 5), st.floats(-1.5, 1.5), st.sampled_from(_NUMBERS))
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "\x00", "\ud800", "../x", "=1+1", "9" * 5000, "a\r\nb", "2001-99-99"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def examples(strategy: SearchStrategy[T], seed: str, count: int) -> Iterator[T]:
    """Yield so many values of a strategy; the same seed gives the same ones."""
    found: list[T] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(strategy)
    def keep(value: T) -> None:
        found.append(value)

    keep()
    yield from found[:count]


@st.composite
def changed(draw: st.DrawFn, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a JSON document in which one to three values, at any depth, are others."""
    result: dict[str, Any] = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = result
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys)) if keys else None
            inner = place[key] if keys else None
            if not (isinstance(inner, dict | list) and inner and draw(st.booleans())):
                break
            place = inner
        if key is None:
            continue
        if isinstance(place, dict) and draw(st.integers(0, 5)) == 0:
            del place[key]
        else:
            place[key] = draw(VALUES)
    return result


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=True)


_FACE = {
    "box": [1.0, 2.0, 3.0, 4.0], "score": 0.9, "emotion": "happy", "confidence": 0.8,
    "uncertain": False, "probabilities": {"happy": 0.8, "sad": 0.2},
}  # fmt: skip
_RESULT = {
    "model": "m", "image": "a.jpg", "width": 4, "height": 3, "faces": [_FACE], "status": "ok",
}  # fmt: skip
_FAILURE = {"image": "b.jpg", "error": {"code": "bad_image", "message": "b.jpg is empty"}}
_SOUND_LINES = st.sampled_from([_RESULT, _FAILURE]).map(_json_text)
_JSON_LINES = st.one_of(
    _SOUND_LINES, _SOUND_LINES, changed(_RESULT).map(_json_text), VALUES.map(_json_text)
)


def journal_lines() -> SearchStrategy[bytes]:
    """Return JSON lines as a run writes them, some with other values or cut off."""
    lines = st.lists(_JSON_LINES, max_size=5)
    text = st.builds("{}{}".format, lines.map("\n".join), st.sampled_from(["\n", "", "\n\n"]))
    return _cut(text)


def journal_table() -> SearchStrategy[bytes]:
    """Return a table of results as a run writes it, some with other cells or cut off."""
    header = (*COLUMNS, "p_happy", "raw_happy")
    row = st.lists(st.one_of(st.just("a.jpg"), SCALARS), min_size=len(header), max_size=len(header))
    ragged = st.lists(SCALARS, max_size=len(header) + 2)
    rows = st.lists(st.one_of(row, row, row, ragged), max_size=4)
    headers = st.sampled_from([header, header, header, header[:-1], ("image",), ()])
    return _cut(st.builds(_csv_text, headers, rows))


def ferplus_table() -> SearchStrategy[bytes]:
    """Return a FER+ table, some with other cells."""
    header = FERPLUS_HEADER.split(",")
    cell = st.one_of(st.integers(0, 10), st.integers(0, 10), SCALARS)
    names = st.one_of(st.sampled_from(["fer1.png", "fer2.png", ""]), TEXTS)
    usages = st.one_of(st.sampled_from(USAGES), TEXTS)
    votes = st.lists(cell, min_size=len(header) - 3, max_size=len(header) - 1)
    rows = st.lists(st.builds(lambda u, n, v: (u, n, *v), usages, names, votes), max_size=5)
    return _cut(st.builds(_csv_text, st.just(header), rows))


def fer2013_table() -> SearchStrategy[bytes]:
    """Return a table of FER2013, some with other cells."""
    good = st.just(" ".join(["7"] * 48 * 48))
    pixels = st.one_of(
        good, good, st.lists(NUMBERS, max_size=9).map(lambda v: " ".join(map(str, v)))
    )
    label = st.one_of(st.integers(0, len(EMOTIONS)), SCALARS)
    row = st.tuples(label, st.one_of(pixels, TEXTS), st.one_of(st.sampled_from(USAGES), TEXTS))
    headers = st.sampled_from([["emotion", "pixels", "Usage"], ["emotion", " Usage", " pixels"]])
    return _cut(st.builds(_csv_text, headers, st.lists(row, max_size=4)))


def yaml_options(known: Mapping[str, Any]) -> SearchStrategy[bytes]:
    """Return training options as YAML.

    Args:
        known: The options with their defaults.
    """
    import yaml

    keys = st.one_of(st.sampled_from(sorted(known)), st.sampled_from(sorted(known)), SCALARS)
    flow = st.dictionaries(keys, VALUES, max_size=4).map(_json_text_of_any)
    block = changed(known).map(lambda options: yaml.safe_dump(options, allow_unicode=True))
    lines = st.builds("{}: {}\n".format, keys, st.one_of(TEXTS, SCALARS, st.sampled_from(_YAML)))
    return _cut(st.one_of(flow, block, st.lists(lines, max_size=3).map("".join)))


def _json_text_of_any(value: Any) -> str:
    return json.dumps({str(key): inner for key, inner in value.items()}, ensure_ascii=False)


def _csv_text(header: Any, rows: Any) -> str:
    file = io.StringIO(newline="")
    table = csv.writer(file, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return file.getvalue()


def _cut(text: SearchStrategy[str]) -> SearchStrategy[bytes]:
    """Return the bytes of a text; one in five ends early."""

    def end(value: str, place: float) -> bytes:
        data = value.encode("utf-8", "surrogatepass")
        return data[: int(len(data) * place)] if place < 0.2 else data

    return st.builds(end, text, st.floats(0, 1))
