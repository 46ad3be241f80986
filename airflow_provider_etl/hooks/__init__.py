"""Hooks: what tasks ask of the systems around them."""
