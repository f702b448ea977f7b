"""A trained network as one HTML file that answers offline."""
