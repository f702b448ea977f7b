"""The app for a class without accounts: app.py, a key for each browser by which the server knows who joined, and an
address for programs that ask networks.
"""

import streamlit as st

from cnnlab.ui.shell.api import routes
from cnnlab.ui.shell.browser_key import MIDDLEWARE

app = st.App("app.py", middleware=MIDDLEWARE, routes=routes())
