"""The tenfold command: from nothing to a running platform, and back."""
