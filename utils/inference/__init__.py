"""From frames to results: analysis, tracking, smoothing, live streams, files."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.inference.analyzer import Analyzers, EmotionAnalyzer, load_analyzers
    from utils.inference.annotated_copies import AnnotatedCopies
    from utils.inference.batch import AnalyzedFrame, analyze_camera, analyze_sources
    from utils.inference.frame_analysis import Frame, FrameAnalysis, FrameAnalyzer
    from utils.inference.live import LiveAnalyzer
    from utils.inference.smoothing import Smoothing
    from utils.inference.stream import LiveOptions
    from utils.inference.video import analyze_video

__all__ = [
    "AnalyzedFrame",
    "Analyzers",
    "AnnotatedCopies",
    "EmotionAnalyzer",
    "Frame",
    "FrameAnalysis",
    "FrameAnalyzer",
    "LiveAnalyzer",
    "LiveOptions",
    "Smoothing",
    "analyze_camera",
    "analyze_sources",
    "analyze_video",
    "load_analyzers",
]

_HOMES = {
    "AnalyzedFrame": "batch",
    "Analyzers": "analyzer",
    "AnnotatedCopies": "annotated_copies",
    "EmotionAnalyzer": "analyzer",
    "Frame": "frame_analysis",
    "FrameAnalysis": "frame_analysis",
    "FrameAnalyzer": "frame_analysis",
    "LiveAnalyzer": "live",
    "LiveOptions": "stream",
    "Smoothing": "smoothing",
    "analyze_camera": "batch",
    "analyze_sources": "batch",
    "analyze_video": "video",
    "load_analyzers": "analyzer",
}


def __getattr__(name: str) -> Any:
    # Imported when first used: video, drawing and the networks take a while to load.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
