"""From frames to results: analysis, tracking, smoothing, live streams and files."""
