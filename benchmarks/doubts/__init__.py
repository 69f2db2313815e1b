"""How many of the wrong places of results lie among the first doubts, and the weights of doubts."""
