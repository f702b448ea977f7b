"""Views of a trained network that several pages show, and the list of those shared by Inside and Draw."""
