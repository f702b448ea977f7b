"""Views of a trained network that several pages draw: what each gets, and those of both Inside and Draw."""
