"""What every service of the platform is made of."""
