"""The app for a class without accounts: app.py, and a key for each browser by which the server knows who joined."""

import streamlit as st

from cnnlab.ui.shell.browser_key import MIDDLEWARE

app = st.App("app.py", middleware=MIDDLEWARE)
