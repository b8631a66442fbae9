"""Money: the price book, the row that a model's name leads to, and the cost of calls."""
