"""Frozen values and pure rules about them. No input or output, no clock, no third-party library."""
