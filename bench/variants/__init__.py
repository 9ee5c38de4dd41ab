"""How many photos a second become variants, beside sharp."""
