"""A simulator of the six marketplaces: for tests and load, never for customers."""
