"""What people do with rows that were set aside: look at them, take them along, run them again, give them up."""
