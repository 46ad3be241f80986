"""Databases by JDBC: where they are, what they are told, what their types are. Shared by source and destination."""
