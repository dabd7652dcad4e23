"""Metric names, recording rules, alerts and boards."""
