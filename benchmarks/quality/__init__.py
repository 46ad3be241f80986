"""What twelve checks cost beside a write: ours, Great Expectations, pandera, and an aggregate by hand."""
