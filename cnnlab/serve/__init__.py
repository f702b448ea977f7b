"""A network at an address: other programs ask it over HTTP."""
