"""The web console: the board, the threads and the command box in a browser."""
