"""电子票据: wanted with the money, asked of the receipt system, kept, verified and voided."""
