"""A page of hostile names, in each kind of place that Streamlit renders by itself."""

import streamlit as st
from hostile_names import HOSTILE_MARKDOWN

from frontend.text import plain, plain_table

for number, name in enumerate(HOSTILE_MARKDOWN):
    with st.container(key=f"message-{number}"):
        st.error(f"{plain(name)}")
    with st.container(key=f"button-{number}"):
        st.button(plain(name), key=f"b{number}")
    with st.container(key=f"cell-{number}"):
        st.table(plain_table([[name]], ["name"]))
    with st.container(key=f"choice-{number}"):
        st.pills("Names", [name], format_func=plain, key=f"p{number}")
st.title("Complete")
