"""The promise, for any destination: random schedules of windows, and the table that a plain run in order would give.

A destination runs it by naming itself: `Subject` says how it is made and read, and which strategies it keeps. Third
parties import it from a checkout, as the destinations that ship do.
"""
