"""Links that open a page with its form filled in: applied once per visit of the page, and created."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.config_link import RECIPE, from_query, to_query, without_mistakes
from cnnlab.training.recipes import DEFAULT
from cnnlab.ui.shell import address
from cnnlab.ui.shell.reasons import as_reason

# Parameters of the app's other pages and of Streamlit.
_OTHERS = {"run", "runs", "sweep", "compare", "chapter", "term", "assignment", "embed", "embed_options"}


def follow(fill_in: Callable[[str, RunConfig], None]) -> None:
    """Call ``fill_in`` with the recipe and config that the URL requests.

    This happens once: later edits stay, until the page is opened again or the URL requests something else. What the
    URL requests in vain is told, and the form does without it.
    """
    asked = _asked()
    sound, refused = without_mistakes(asked)
    if refused:
        lines = "\n\n".join(map(as_reason, refused))
        st.warning(lines, title="This link has a setting that does not exist", icon=":material/link_off:")
    if sound and address.is_new("setup", asked):
        fill_in(sound.get(RECIPE, DEFAULT), from_query(sound))


def forget() -> None:
    """Remove the request from the URL: a run has started, and a reload must find it."""
    address.drop(_asked())


def _asked() -> dict[str, str]:
    """Return the parameters that are none of the app's others, settings and mistakes alike."""
    return {name: value for name, value in address.query().items() if name not in _OTHERS}


def offer(config: RunConfig) -> None:
    """Show a link that opens Train with ``config``, to copy."""
    with st.popover("Link to these settings", icon=":material/link:", type="tertiary"):
        try:
            query = to_query(config)
        except ConfigError as error:
            st.caption(as_reason(error))
            return
        st.caption("Opens Train with these settings.")
        st.code(f"{st.context.url or ''}?{urlencode(query)}", language=None, wrap_lines=True)
