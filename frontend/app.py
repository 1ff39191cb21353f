"""Entry point: ``streamlit run frontend/app.py``."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(
    page_title="Apparent expressions",
    page_icon=str(HERE / "icon.svg"),  # a named icon would be fetched from the internet
    layout="wide",
    menu_items={
        "About": "Estimates apparent facial expressions on this server. Pictures are not stored."
    },
)
st.html(HERE / "style.css")

page = st.navigation(
    [st.Page("pages/live.py", title="Live", icon=":material/videocam:", default=True)],
    position="top",
)
page.run()
