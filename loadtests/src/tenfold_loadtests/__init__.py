"""Load suites and the 10x gate."""
