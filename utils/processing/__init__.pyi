from .corruptions import CORRUPTIONS as CORRUPTIONS
from .dataset import FaceDataset as FaceDataset, load_split as load_split
from .face_images import FaceImages as FaceImages, load_faces as load_faces
from .near_duplicates import find_near_duplicates as find_near_duplicates
