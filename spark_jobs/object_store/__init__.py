"""Stores of objects in place of file systems: how Spark gets at them, and how Delta commits there."""
