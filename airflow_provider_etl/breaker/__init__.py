"""Circuit breakers: a connection that doesn't answer is left alone for a while, by all tasks that share it."""
