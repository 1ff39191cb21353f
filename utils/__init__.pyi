from .errors import EmotionError as EmotionError
from .inference.analyzer import EmotionAnalyzer as EmotionAnalyzer
from .inference.live import LiveAnalyzer as LiveAnalyzer
from .media.drawing import annotate as annotate
from .media.images import load_image as load_image
from .model.checkpoint import load_checkpoint as load_checkpoint
from .results import Face as Face, FrameResult as FrameResult
from .version import __version__ as __version__
