"""What all benchmarks share: contenders in turn, measured from outside, compared row by row, told as table and page."""
