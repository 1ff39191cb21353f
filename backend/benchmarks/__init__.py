"""What ``backend/benchmark.py`` measures, one file per benchmark."""
