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
    """Return the ``#RRGGBB`` colour of an emotion, grey for a class of another dataset."""
    return COLORS.get(emotion, UNKNOWN_COLOR)
