"""Operators: one file each over one base; each builds plans, hands them to an engine and returns the report."""
