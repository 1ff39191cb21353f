"""Everything at once for as long as one likes: ``python backend/benchmark.py --soak MINUTES``."""
