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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_freed_blocks_are_used_again() -> None:
    pages = {}
    for mode in ("as usual", "keep"):
        command = [sys.executable, "-c", _COUNT, mode]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        pages[mode] = int(done.stdout)
    assert pages["keep"] < pages["as usual"] / 3
