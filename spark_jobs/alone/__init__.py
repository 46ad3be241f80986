"""Rows of the quarantine that are run again alone, without their window: which may be, and how they are loaded."""
