"""How many pods a Workload needs: from load and forecast to a number with its reasons.

`decide.decide` is the entry. What it decides on is made by `load.judge`, `outlook.look_ahead`,
`capacity.learn` and `startup.measure`; `revisions.split` shares the number out over revisions and
`memory` keeps what the next decision needs in the status. All of it is pure.
"""
