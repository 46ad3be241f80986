"""Whether a record, and a window, cost the same however many there are."""
