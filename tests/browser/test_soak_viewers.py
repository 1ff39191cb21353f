"""The soak test's viewers: real browsers that come, watch the live page and go."""

import json

import pytest
from programs import run_program

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_viewers_see_new_pictures_while_everything_else_is_busy() -> None:
    done = run_program("benchmark", "--soak", 0.5, "--viewers", 1, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["problems"] == []
    assert document["answers"]["viewer: pictures"] > 0
    assert document["answers"]["photo: 200"] > 0
    assert "threads" in document["app, at the end"]
