"""Default values that the settings and the library share."""

# Live video analyses every N-th frame.
INTERVAL = 2
# The face detector, and the longer side in pixels of the smallest face that it detects: in images,
# and in live video, where smaller faces take most of the detection time.
DETECTOR = "mtcnn"
MIN_FACE, LIVE_MIN_FACE = 20, 40
# Time constants in seconds: of the displayed probabilities, and of those in the timeline.
TAU, CHART_TAU = 0.28, 0.62
# Bytes that the images of a folder may take at the same time; a larger one is decoded alone.
IMAGE_MEMORY = 2_000_000_000
# Live streams that one process analyses at once.
MAX_STREAMS = 8
# A face of a recording counts from this many frames on: what a single frame shows is seldom one.
MIN_FRAMES = 2
