"""A dataset in any of its usual forms becomes ``train|validation|test/<class>/<image>``."""

from utils.processing.prepare.dataset_writer import Report, prepare

__all__ = ["Report", "prepare"]
