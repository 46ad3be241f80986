"""The life of a table beside its windows: adopting one, rebuilding it, removing an entity from it."""
