"""Signed webhooks of marketplaces, taken at least once and applied exactly once."""
