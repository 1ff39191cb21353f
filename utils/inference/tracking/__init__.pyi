from .assignment import assign as assign
from .detection_schedule import DetectionSchedule as DetectionSchedule
from .smoothing import Prediction as Prediction, Smoother as Smoother, Smoothing as Smoothing
from .track import Track as Track
from .tracker import Tracker as Tracker, box_iou as box_iou, match_boxes as match_boxes
