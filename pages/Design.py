"""Design: build a network layer by layer and see what each choice costs."""

from cnnlab.ui.design.page import design
from cnnlab.ui.shell import frame

frame.page("Design", "Build a network layer by layer; see at once what each layer does and costs.")

design()
