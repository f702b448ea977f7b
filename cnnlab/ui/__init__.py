"""The pages' parts: the only place of the package that knows Streamlit."""
