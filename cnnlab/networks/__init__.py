"""The layer list as data: shapes, costs and receptive field, edits, hints, PyTorch module, code and diagram."""
