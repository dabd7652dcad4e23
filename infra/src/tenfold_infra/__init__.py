"""Pulumi program that provisions the platform, and the tenfold command."""
