"""For us and for authors of plugins: fakes of the ports, and the contract tests."""
