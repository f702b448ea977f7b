"""A user's own pictures: from a folder or a ZIP of anything to a data set with versions."""
