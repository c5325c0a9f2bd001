# Made from _async/resources/__init__.py by scripts/generate.py: not to be edited.
"""What the service can be asked, by area."""
