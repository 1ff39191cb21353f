from .camera import CameraReader as CameraReader
from .drawing import annotate as annotate, draw_heat as draw_heat, draw_into as draw_into
from .image_writer import save_image as save_image
from .images import load_image as load_image
from .sources import Source as Source, find_sources as find_sources, list_images as list_images
from .tables.writers import (
    ResultWriter as ResultWriter,
    as_csv as as_csv,
    open_writer as open_writer,
)
from .video import VideoFrame as VideoFrame, VideoReader as VideoReader
from .video_writer import VideoWriter as VideoWriter
