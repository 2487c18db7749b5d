"""One fake a port, in a file of the port's name; the contract tests keep each honest."""
