"""Networks as lists of layers: their shapes, costs and receptive fields, edits, hints, modules, source and diagram."""
