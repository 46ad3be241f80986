"""Small windows: what starting and ending costs where the work is next to nothing."""
