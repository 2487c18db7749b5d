"""The eighth slot: observe, decide, keep, react, act.

Deciding and reacting are pure; looking and acting go through the ports.
"""
