"""First drafts of contracts, out of sample files and without Spark: what they tell, and what a person must decide."""
