"""What is true with no disk, net, clock or chance: markets, signals, plans."""
