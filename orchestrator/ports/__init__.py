"""The slots: one file each. The docstrings are the promise that the contract tests check."""
