"""The engine against what tutorials do, measured side by side on the user's machine."""
