"""Anomaly scores: numbers in, numbers out. Pure, deterministic, and never NaN."""
