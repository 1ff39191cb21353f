"""What ``backend/benchmark.py`` measures, one file a subject."""
