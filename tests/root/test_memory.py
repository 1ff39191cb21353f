"""Large blocks are reused where the system allows it."""

import subprocess
import sys

import pytest

_COUNT = """
import resource, sys
from utils.memory import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit("not possible here")
import torch
torch.set_num_threads(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(40):
    torch.ones(15_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


_HELD = """
import sys
import numpy as np
from utils.memory import memory_mb, return_large_blocks
if sys.argv[1] == "return" and not return_large_blocks():
    sys.exit("not possible here")
np.ones(31 * 2**20, np.uint8)  # from now on, glibc keeps blocks of this size
photos = [np.ones(20 * 2**20, np.uint8) for _ in range(20)]
last = np.ones(2**20, np.uint8)  # glibc only returns what nothing lies behind
del photos
print(memory_mb())
"""


pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")


def measure(code: str, mode: str) -> float:
    command = [sys.executable, "-c", code, mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


def test_the_memory_of_photos_is_returned() -> None:
    assert measure(_HELD, "return") < measure(_HELD, "as usual") - 200


def test_freed_blocks_are_used_again() -> None:
    assert measure(_COUNT, "keep") < measure(_COUNT, "as usual") / 3
