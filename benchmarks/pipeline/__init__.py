"""One pipeline, several ways: CSV of about 1 KB a record, cleaned, deduplicated, joined, checked, loaded into Delta."""
