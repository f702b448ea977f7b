"""The pages of the app and their parts: the only package that imports Streamlit."""
