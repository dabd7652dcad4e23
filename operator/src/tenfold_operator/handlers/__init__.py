"""decode -> observe -> plan -> apply; no policy in here."""
