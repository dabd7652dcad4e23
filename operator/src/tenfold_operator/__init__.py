"""The operator: rollouts, scaling and Redis failover."""
