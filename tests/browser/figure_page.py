"""A video far above the figures of a made-up recording, for test_recording_figure.py."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import streamlit as st
from frames import frame

from frontend.components.person_charts import Recording, recording_charts
from utils.emotions import EMOTIONS
from utils.media.timeseries import results_table

frames = [frame(i / 10, happy=0.9 if i < 20 else 0.02, faces=2) for i in range(40)]
with st.container(key="player"):
    st.video(os.environ["TEST_CLIP"], alt="clip")
st.html("<div style='height: 1500px'></div>")
recording = Recording(
    "test", results_table(frames, EMOTIONS), EMOTIONS, player=".st-key-player video"
)
recording_charts(recording, stacked=True, on_name=lambda track_id, name: None)
