"""Personal values: found by their shape, hidden by methods that give the same value the same mask."""
