"""What the gate says to people: for every reason a word, a text and what to do next, in each language."""
