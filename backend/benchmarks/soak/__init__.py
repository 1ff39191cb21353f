"""Everything at once for as long as one likes: ``python backend/benchmark.py --soak MINUTES``."""

from backend.benchmarks.soak.soak import SoakBenchmark, benchmark_soak

__all__ = ["SoakBenchmark", "benchmark_soak"]
