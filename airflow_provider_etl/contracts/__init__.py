"""What is done with contracts beside keeping them (spec/contracts): comparing two, drafting one out of sample files."""
