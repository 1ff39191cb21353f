"""The soak test: a short one, what it counts as an error, and what it takes for a leak."""

import asyncio
import json
import time

import numpy as np
import pytest
from programs import run_program
from service_process import free_port

from backend.benchmarks.soak.growth import Usage, measure_growth
from backend.benchmarks.soak.load import Tally, keep_uploading, keep_watching, upload
from backend.benchmarks.soak.soak import SoakBenchmark


@pytest.mark.slow
def test_everything_is_busy_at_once_without_errors() -> None:
    done = run_program("benchmark", "--soak", 1 / 6, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["errors"] == {}
    assert document["problems"] == []
    kinds = {kind.split(":")[0] for kind in document["answers"]}
    assert kinds == {"photo", "damaged photo", "batch", "clip", "socket", "live stream"}
    assert document["answers"]["damaged photo: 400"] > 0
    assert "threads" in document["service, at the end"]


def samples(memory: list[float], *, threads: float = 0.0, seconds: float = 2.0) -> list[Usage]:
    """Return samples with so much memory, and with so many more threads from one to the next."""
    return [
        Usage(seconds * i, value, round(10 + threads * i), 30) for i, value in enumerate(memory)
    ]


def noise(size: float, count: int = 300) -> list[float]:
    return (400 + size * np.random.default_rng(0).standard_normal(count)).tolist()


def leaks(found: list[Usage]) -> list[str]:
    return [growth.name for growth in measure_growth(found) if growth.is_leak]


def test_a_line_that_rises_is_a_leak() -> None:
    rising = [value + 0.15 * i for i, value in enumerate(noise(5))]  # 30 MB after the warm-up
    assert leaks(samples(rising)) == ["memory in MB"]
    assert leaks(samples(noise(5), threads=0.02)) == ["threads"]


def test_noise_and_the_warm_up_are_no_leaks() -> None:
    assert leaks(samples(noise(100))) == []
    filling = [min(value, 4.0 * i) for i, value in enumerate(noise(5))]  # full after 100 samples
    assert leaks(samples(filling)) == []


def test_a_short_run_is_not_judged() -> None:
    assert measure_growth([]) == []
    assert measure_growth(samples([400.0, 900.0])) == []
    assert measure_growth(samples(noise(5, 100), seconds=1.0)) == []
    assert len(measure_growth(samples(noise(5, 100)))) == 3


def test_errors_and_leaks_are_problems() -> None:
    tally = Tally()
    tally.add("photo: 200", count=9)
    assert SoakBenchmark(1.0, tally, {"service": samples(noise(5))}).problems() == []
    tally.add("photo: 500", count=2, error=True)
    rising = samples([400.0 + i for i in range(300)])
    first, second = SoakBenchmark(1.0, tally, {"service": rising}).problems()
    assert first == "2 x photo: 500"
    assert second == "service grows: memory in MB: 500.0 to 699.0"


def test_a_service_that_does_not_answer_is_an_error() -> None:
    port, tally = free_port(), Tally()
    photo = upload("photo", "/predict", b"x", content_type="image/jpeg")

    async def ask() -> None:
        until = time.monotonic() + 0.1
        await keep_uploading(port, photo, tally=tally, until=until)
        await keep_watching(port, b"x", tally=tally, until=time.monotonic() + 0.1)

    asyncio.run(ask())
    assert not tally.answers
    assert {kind.split(":")[0] for kind in tally.errors} == {"photo", "socket"}
