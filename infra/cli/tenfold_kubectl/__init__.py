"""kubectl tenfold: rollouts and Redis tiers, seen and steered from the command line."""
