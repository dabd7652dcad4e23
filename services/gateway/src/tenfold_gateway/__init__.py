"""The marketplaces' API gateway."""
