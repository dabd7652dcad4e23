"""Pure decisions: (observed, now) -> actions. No client, no clock, no framework in here."""
