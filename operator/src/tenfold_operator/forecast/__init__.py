"""Forecasts of a load: arrays in, arrays out. Pure: no client, no clock, seeds are given."""
