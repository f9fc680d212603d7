"""What the bars say about each name: to be bought, to be sold, neither, or not known."""
