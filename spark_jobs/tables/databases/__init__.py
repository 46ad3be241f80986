"""Tables of databases, given orders: adopt, purge, refresh."""
