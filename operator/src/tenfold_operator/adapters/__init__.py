"""The outside, behind the protocols of ports.py."""
