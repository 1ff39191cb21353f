"""The cards of faces: levels, or changes from the neutral face of the same person."""

import re

from streamlit.testing.v1 import AppTest


def script() -> None:
    from frames import frame

    from frontend.components.cards import face_bars

    at_rest = {"happy": 0.2, "neutral": 0.8, "sad": 0.0}
    face_bars(frame(0.0, happy=0.7, faces=2).faces, neutral={2: at_rest}, count=3)


def test_changes_are_shown_for_the_face_that_has_a_neutral_one() -> None:
    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    html = page.get("html")[0].proto.body
    first, second = html.split("<section")[1:]
    values = r"aria-label='(\w+)'.*?aria-valuenow='(-?\d+)'.*?class='value'>([^<]+)<"
    assert re.findall(values, first)[0] == ("happy", "70", "70%")
    assert "percentage points" not in first
    assert "percentage points" in second
    assert re.findall(values, second)[:2] == [("neutral", "-75", "-75"), ("happy", "50", "+50")]
    bars = re.findall(r"style='width:([\d.]+)%;margin-left:([\d.]+)%", second)
    assert bars[0] == ("37.5", "12.5"), "to the left of the middle"
    assert bars[1] == ("25.0", "50.0"), "to the right of it"
