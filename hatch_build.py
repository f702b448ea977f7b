"""Put Plotly's script into the wheel: where the app is installed, its folder may be read only."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PlotlyScript(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        """Return what the build needs besides: the Plotly that the app asks for."""
        return [one for one in self.metadata.core.dependencies if one.startswith("plotly==")]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the script where ``publish_script`` looks for it; an editable install has the checkout's own."""
        if version != "editable":
            plotly = distribution("plotly")
            script = Path(str(plotly.locate_file("plotly/package_data/plotly.min.js")))
            build_data["force_include"][str(script)] = f"cnnlab/_app/static/plotly-{plotly.version}.min.js"
