"""The double-entry ledger, its seals, and the nightly questions to both."""
