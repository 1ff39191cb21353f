from .analyzer import EmotionAnalyzer as EmotionAnalyzer
from .annotated_copies import AnnotatedCopies as AnnotatedCopies
from .batch import (
    AnalyzedFrame as AnalyzedFrame,
    analyze_camera as analyze_camera,
    analyze_sources as analyze_sources,
)
from .frame_analysis import (
    Frame as Frame,
    FrameAnalysis as FrameAnalysis,
    FrameAnalyzer as FrameAnalyzer,
)
from .live import LiveAnalyzer as LiveAnalyzer
from .server_analyzers import Analyzers as Analyzers, load_analyzers as load_analyzers
from .stream import LiveOptions as LiveOptions
from .tracking.smoothing import Smoothing as Smoothing
from .video import analyze_video as analyze_video
