"""The seven emotions: their one order, their colours and their place in FER2013 and FER+.

Every probability vector, table column, chart and checkpoint of the bundled model uses this order.
Checkpoints trained on another folder carry their own class names.
"""

EMOTIONS: tuple[str, ...] = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")

# Paul Tol's "bright" scheme (https://personal.sron.nl/~pault/), made for colour-blind readers too.
COLORS: dict[str, str] = {
    "angry": "#EE6677",
    "disgust": "#228833",
    "fear": "#AA3377",
    "happy": "#CCBB44",
    "neutral": "#999999",
    "sad": "#4477AA",
    "surprise": "#66CCEE",
}
UNKNOWN_COLOR = "#777777"

# On a page's background, where no dark rim surrounds a line, dot or bar, it needs a contrast of 3:1
# (WCAG 2.2, criterion 1.4.11). These are the nearest colours that have it.
COLORS_ON_LIGHT: dict[str, str] = {
    "angry": "#C93750",
    "disgust": "#176B28",
    "fear": "#7A1F58",
    "happy": "#9A8500",
    "neutral": "#808080",
    "sad": "#3B6BA5",
    "surprise": "#1595BE",
}
COLORS_ON_DARK: dict[str, str] = COLORS | {"fear": "#B8468A"}

# fer2013.csv encodes the emotions as 0-6 in this order (Goodfellow et al., 2013).
FER2013_CODES: tuple[str, ...] = (
    "angry",
    "disgust",
    "fear",
    "happy",
    "sad",
    "surprise",
    "neutral",
)

# Vote columns of FER+'s fer2013new.csv (Barsoum et al., 2016). Contempt, unknown and NF (not a
# face) are none of the seven classes.
FERPLUS_COLUMNS: dict[str, str] = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
FERPLUS_OTHER: tuple[str, ...] = ("contempt", "unknown", "NF")


def color_of(emotion: str) -> str:
    """Return an emotion's ``#RRGGBB`` colour in pictures, grey for a class of another dataset."""
    return COLORS.get(emotion, UNKNOWN_COLOR)


def color_on(emotion: str, *, dark: bool) -> str:
    """Return the ``#RRGGBB`` colour of an emotion's lines, dots and bars on a page.

    Args:
        emotion: Name of a class; one of another dataset is grey.
        dark: Whether the page's background is dark.
    """
    return (COLORS_ON_DARK if dark else COLORS_ON_LIGHT).get(emotion, UNKNOWN_COLOR)


def css_color(emotion: str) -> str:
    """Return the colour of an emotion as CSS that follows a change of the theme by itself."""
    return f"light-dark({color_on(emotion, dark=False)},{color_on(emotion, dark=True)})"
