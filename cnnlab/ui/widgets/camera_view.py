"""The part of a component that shows a camera and turns it on and off; ``cameraIn`` of camera.js brings it to life."""

from __future__ import annotations


def camera_view(hint: str) -> str:
    """Return its HTML, with a ``hint`` of our own where the picture will be."""
    return f"""
<div class="camera-view">
  <video muted playsinline hidden aria-label="What the camera shows"></video>
  <p class="camera-hint">{hint}</p>
</div>
<p class="camera-error" role="alert"></p>
<button type="button" class="camera-switch">Turn the camera on</button>
"""
