"""Entry point: ``streamlit run frontend/app.py``."""

from pathlib import Path

import streamlit as st

from frontend.live import departure

HERE = Path(__file__).parent

st.set_page_config(
    page_title="Apparent expressions",
    page_icon=str(HERE / "icon.svg"),  # a named icon would be fetched from the internet
    layout="wide",
    menu_items={
        "About": "Estimates apparent facial expressions on this server. Stores no pictures."
    },
)
st.html(HERE / "style.css")

# Not in a folder called "pages": Streamlit would list its files by itself until this script runs.
live = st.Page("views/live.py", title="Live", icon=":material/videocam:", default=True)
page = st.navigation(
    [
        live,
        st.Page("views/photo.py", title="Photo", icon=":material/image:"),
        st.Page("views/video.py", title="Video", icon=":material/movie:"),
        st.Page("views/batch.py", title="Batch", icon=":material/photo_library:"),
        st.Page("views/sessions.py", title="Sessions", icon=":material/history:"),
        st.Page("views/model.py", title="Model", icon=":material/insights:"),
        st.Page("views/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
)
if page != live:
    departure.announce()
page.run()
