"""What a person owes: pushed by departments, priced day by day, looked up, paid by whoever has the link."""
