"""How many pods a Workload needs: from load and forecast to a number with its reasons.

`decide.decide` is the entry. `queries` is what to ask Prometheus. What is decided on is made by
`load.judge`, `outlook.look_ahead`, `capacity.learn` and `startup.measure`. `status.report` tells of
it, and `memory.recall` reads from that what the next decision needs. All of it is pure.
"""
