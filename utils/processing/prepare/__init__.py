"""A dataset in any of its usual forms becomes ``train|validation|test/<class>/<image>``."""

from utils.processing.prepare.dataset_writer import Report, prepare
from utils.processing.prepare.face_crops import FaceReport, crop_photos

__all__ = ["FaceReport", "Report", "crop_photos", "prepare"]
