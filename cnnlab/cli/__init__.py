"""The commands of python -m cnnlab, by what they are for; options.py: what several take."""
