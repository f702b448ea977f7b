"""The files in which a network leaves the lab, one module each."""
