"""Reasons of conditions in words, for somebody who sees them for the first time.

The tables in docs/rollouts.md, redis.md and anomalies.md say more; a test holds them together.
"""

from tenfold_operator.console.views import Explanation

_ROLLOUT = {
    "RolledOut": ("The revision of the template serves all traffic.", "Nothing to do."),
    "WaitingForPods": (
        "Pods of the new revision are not ready yet. They get no traffic before.",
        "Wait, or look at its pods; the message says what holds them back.",
    ),
    "WaitingForGateway": (
        "The route was changed, and the gateway has not taken it over yet.",
        "Wait; if it lasts, see the condition RouteAccepted.",
    ),
    "WaitingForAnalysis": (
        "The new revision is not judged yet, or a metric failed fewer times than the limit.",
        "Wait; the verdicts say which metric it is.",
    ),
    "TooFewRequests": (
        "The new revision had too few requests to be judged by them.",
        "Send more, lengthen the window, or promote it by hand.",
    ),
    "Holding": ("The step is good so far and lasts until its time is over.", "Nothing to do."),
    "Paused": ("The step waits for a person.", "Promote it, or resume the rollout."),
    "WaitingForGroup": (
        "Other Workloads of the same group are behind; a step ends for all or for none.",
        "See those that the message names.",
    ),
    "PrometheusAway": (
        "Prometheus cannot be asked, so nobody can judge: no more traffic moves.",
        "Bring it back, or promote the step by hand.",
    ),
    "InvalidQuery": (
        "Prometheus refuses a query of the analysis: no more traffic moves.",
        "Mend the query in spec.rollout.analysis.queries.",
    ),
    "StableNotReady": (
        "The revision should be given up, but nothing else could serve in its place.",
        "Repair the stable revision, or apply a good template.",
    ),
    "Draining": (
        "The new revision serves; the old pods end once nothing reaches them.",
        "Nothing to do.",
    ),
    "ProgressDeadlineExceeded": (
        "The pods of the new revision were not ready in time, so it was given up.",
        "Read the message: image, probe, memory, or space on the nodes.",
    ),
    "CrashLooping": (
        "Containers of the new revision ended again and again, so it was given up.",
        "Look at what they logged before they ended: kubectl logs --previous.",
    ),
    "AnalysisFailed": (
        "The new revision answered real requests worse than its rollout allows, and not by "
        "chance. All traffic went back to the stable revision at once.",
        "Mend it and apply the new image. If the cause was elsewhere: kubectl tenfold retry.",
    ),
    "Inconclusive": (
        "For too long nobody could tell whether the new revision is good, so it was given up.",
        "Mend the metric that could not be judged, then retry.",
    ),
    "Aborted": ("A person ended the rollout.", "Retry it when it may go on."),
    "GroupAborted": (
        "Another Workload of the same group was given up, and this one with it.",
        "Mend that one, then retry all of the group.",
    ),
    "NameTaken": (
        "An object of that name exists and is not the operator's; it touches nothing.",
        "Rename one of them.",
    ),
}
_READY = {
    "Serving": ("All pods of the template are ready and serve.", "Nothing to do."),
    "RollingOut": (
        "The stable revision serves while a new one takes over in steps.",
        "Watch the verdicts.",
    ),
    "RolledBack": (
        "The new revision was given up. The stable one serves all traffic, as before.",
        "Read below why, mend it, and apply the new image.",
    ),
    "PodsNotReady": ("Fewer pods are ready than wanted.", "Look at the pods."),
    "RouteNotAccepted": (
        "The gateway does not take the route as it is.",
        "See the condition RouteAccepted.",
    ),
}
_TIER = {
    "InSync": (
        "The primary answers, its replicas have its data, and the Sentinels agree.",
        "Nothing to do.",
    ),
    "PasswordMissing": ("The Secret with the password is not there.", "Create it."),
    "PrimaryUnknown": (
        "No majority of the Sentinels names a primary. Writes may be refused.",
        "Wait for their election; if it lasts, look at the Sentinels' pods.",
    ),
    "PrimaryNotServing": (
        "The server that the Sentinels name does not serve as the primary.",
        "Wait for the failover; if it lasts, look at its pod.",
    ),
    "ReplicasNotInSync": (
        "A replica does not have all of the primary's data yet.",
        "Wait; if it lasts, look at its pod.",
    ),
    "SentinelsLearning": (
        "The Sentinels do not know all replicas yet: a crash now would find none to promote.",
        "Wait; they ask the primary every ten seconds.",
    ),
    "SlotsNotServed": (
        "A part of the cluster's keys is served by nobody.",
        "Wait for its election; if it lasts, look at the pods of the shard.",
    ),
    "ServersDisagree": (
        "The servers of the cluster do not say the same of who serves what.",
        "Wait; if it lasts, look at the pods.",
    ),
    "HandingOver": ("The primary moves to a replica, and no write is lost.", "Nothing to do."),
    "NotDue": ("The primary may stay where it is.", "Nothing to do."),
    "NoReplicaInSync": (
        "The primary should move, but no replica has all of its data.",
        "Wait until a replica is in sync.",
    ),
    "NoQuorum": (
        "The primary should move, but no majority of the Sentinels answers.",
        "Look at the Sentinels' pods.",
    ),
    "TwoPrimaries": (
        "Two servers claim to be the primary; the one without the majority is fenced first.",
        "Wait for the fence.",
    ),
    "CoolDown": (
        "The primary moved a short while ago; it moves again after the cool-down.",
        "Wait, or shorten spec.handover.cooldownSeconds.",
    ),
    "DryRun": (
        "The tier only says what it would do (spec.handover.mode is dryRun).",
        "Ask for the hand-over by the annotation, or set the mode to automatic.",
    ),
    "HandOverFailed": (
        "The hand-over was tried and undone; the message says why.",
        "It is tried again.",
    ),
    "CertificateMissing": (
        "The Secret of spec.tls lacks a certificate or its key: nothing is changed.",
        "Mend the Secret; it needs ca.crt, tls.crt and tls.key.",
    ),
    "CertificateUnfit": (
        "The certificate of spec.tls is for servers alone; those of a cluster also show it to each "
        "other as clients. Nothing is changed, and no server takes it.",
        "Have one made for both usages: server auth and client auth.",
    ),
    "CertificateChanging": (
        "Not every server shows the Secret's certificate yet.",
        "Wait: what pods have of a Secret follows it within two minutes.",
    ),
    "CertificateKnown": ("The servers show the certificate of the Secret.", "Nothing to do."),
    "UserPasswordMissing": (
        "A user's Secret has no password: the user stays as it is.",
        "Create the Secret, or mend the key that spec.users names.",
    ),
    "UserRulesRefused": (
        "Redis does not take a user's rules: the user stays as it is.",
        "Mend them; the message has Redis' own words.",
    ),
    "UsersChanging": ("Not every server has all changes of the users yet.", "Wait a moment."),
    "UsersKnown": ("Every server knows the users and no others.", "Nothing to do."),
    "NoServerAnswers": ("No server answers.", "Look at the pods."),
    "CannotExpand": (
        "The volumes should grow, and their StorageClass does not allow it. Nothing was touched.",
        "Set allowVolumeExpansion where the driver can grow volumes, or move to a new tier.",
    ),
    "Growing": (
        "The volumes grow to what the spec asks for.",
        "Wait; the message names those that have not yet.",
    ),
    "SeveralHoldData": (
        "Without a quorum several servers hold different data, so none is promoted.",
        "Decide which one is right: redis-cli replicaof no one.",
    ),
}
_DETECTOR = {
    "Training": ("The model is being fitted.", "Nothing to do; it takes seconds."),
    "WarmingUp": ("Too little was measured yet for a score to count.", "Wait."),
    "NoData": (
        "Prometheus has no data for the query. The last verdict is held.",
        "Ask Prometheus for it: a name or label has changed, or the target is gone.",
    ),
    "Stale": ("The target is not scraped any more. The last verdict is held.", "See the target."),
    "NotANumber": (
        "The query answers no number. The last verdict is held.",
        "Guard it against a division by zero.",
    ),
    "SeveralSeries": (
        "The query answers several series. The last verdict is held.",
        "Aggregate it, as with sum().",
    ),
    "QueryFailed": (
        "Prometheus refuses the query. The last verdict is held.",
        "Mend it; the message has Prometheus' words.",
    ),
    "PrometheusUnavailable": (
        "Prometheus cannot be asked. The last verdict is held.",
        "See to Prometheus; what was missed is caught up.",
    ),
    "TrainingFailed": (
        "The model could not be fitted.",
        "The message has the cause; it is tried again.",
    ),
}
_COPY = {
    "Succeeded": ("The last one succeeded.", "Nothing to do."),
    "Failed": ("The last one failed; the message names its Job.", "Read what the Job logged."),
    "Different": (
        "The copy differs from what was backed up.",
        "Trust neither before you know why: read what the Job logged.",
    ),
    "BackupMissing": ("The RedisBackup that it names does not exist.", "Create it."),
    "TierMissing": ("The RedisTier that it names does not exist.", "Create it."),
    "NoAppendOnlyFile": (
        "pointInTime needs the append-only file that this tier does not write.",
        "Leave pointInTime out, or move to a tier with persistence.mode aof.",
    ),
}
KNOWN = {**_ROLLOUT, **_READY, **_TIER, **_DETECTOR, **_COPY}


def explain(reason: str) -> Explanation:
    """Return what a reason means and what to do; empty texts for one of somebody else."""
    means, advice = KNOWN.get(reason, ("", ""))
    return Explanation(reason=reason, means=means, advice=advice)
