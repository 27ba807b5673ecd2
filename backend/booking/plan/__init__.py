"""What the department plans: windows, patterns, days, rules, workbooks, slots, and what they are used for."""
