"""Ways back of money: asked, decided, promised, and ended by the channel or by the treasury."""
