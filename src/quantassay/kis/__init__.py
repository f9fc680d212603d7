"""The wire format of the Korea Investment & Securities Open API, and nothing else of the world."""
