"""Pictures as the pixels that a network takes."""

from __future__ import annotations

from cnnlab.export.standalone.drawn import FAINT, EmptyError, prepared
from cnnlab.export.standalone.paper import Colour, as_ink, grey, on_dark
from cnnlab.export.standalone.resizing import resized


def network_pixels(picture: Colour, how: str, channels: int, width: int, height: int) -> Colour:
    """Prepare a picture as the network's training data were: ``channels`` of ``height`` rows.

    ``how`` is "drawn" (a character: cut out, made as thick and large as those it learned), "light-on-dark" or "photo".
    Raises EmptyError where a character is expected and nothing is drawn.
    """
    if how == "drawn":
        light = grey(on_dark(picture, rim_sides=1))
        if max(map(max, light)) <= FAINT:
            raise EmptyError("there is nothing drawn")
        return [prepared(as_ink(light), width, height)]
    if how == "light-on-dark":
        picture = on_dark(picture, rim_sides=4)
    return [resized(channel, width, height) for channel in ([grey(picture)] if channels == 1 else picture)]
