"""The parts of the platform as Pulumi components."""
