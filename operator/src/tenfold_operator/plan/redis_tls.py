"""Certificates of a tier: the Sentinels restart for a new one, servers take it while they run."""

from collections.abc import Iterable, Iterator

from tenfold_operator.model.generated import RedisTierCertificate
from tenfold_operator.model.observed import TierView
from tenfold_operator.model.tier_tls import CERTIFICATE
from tenfold_operator.plan.actions import Action, Configure, Refuse
from tenfold_operator.plan.conditions import Verdict
from tenfold_operator.plan.redis_config import TLS_FILES


def obstacle(view: TierView) -> Refuse | None:
    """Return why no pod could begin to serve with what the Secret of spec.tls holds."""
    spec, found = view.tier.spec, view.certificate
    if spec.tls is None or found is None:
        return None
    name = spec.tls.secret_name
    if found.missing:
        message = f"Secret {name} has no valid {', '.join(found.missing)}"
        return Refuse(reason="CertificateMissing", message=message)
    if spec.topology == "cluster" and not found.is_for_clients:
        message = (
            f"{CERTIFICATE} of Secret {name} is for servers alone: those of a cluster show it to "
            "each other as clients too"
        )
        return Refuse(reason="CertificateUnfit", message=message)
    return None


def or_refusal(view: TierView, changes: Iterable[Action]) -> Iterable[Action]:
    """Return the changes of objects, or why none is made."""
    refusal = obstacle(view)
    return (refusal,) if refusal else changes


def plan_certificates(view: TierView) -> Iterator[Action]:
    """Have servers read the files anew while they show another certificate than the Secret's.

    What a pod has of a Secret follows it with a delay: until then they read the same one again.
    """
    for pod in () if obstacle(view) else _late(view):
        why = "the Secret holds another certificate than it shows"
        yield Configure(pod=pod, settings=TLS_FILES, why=why)


def certificate_status(view: TierView) -> RedisTierCertificate | None:
    """Return when the first of the certificates expires that the servers show."""
    if view.certificate is None:
        return None
    if not view.served:
        return view.tier.status.certificate
    return RedisTierCertificate(expires=min(each.expires for each in view.served.values()))


def verdicts(view: TierView) -> tuple[Verdict, ...]:
    """Say whether the servers show the certificate of the Secret, where they should."""
    if view.certificate is None:
        return ()
    if found := obstacle(view):
        return (Verdict("CertificateServed", "False", found.reason, found.message),)
    if not view.served:
        message = "no server shows a certificate that the authority of the Secret has signed"
        return (Verdict("CertificateServed", "False", "NoServerAnswers", message),)
    if late := _late(view):
        message = f"{', '.join(late)}: not the Secret's certificate yet"
        return (Verdict("CertificateServed", "False", "CertificateChanging", message),)
    first = min(each.expires for each in view.served.values())
    message = f"{len(view.served)} servers show the Secret's certificate, until {first:%Y-%m-%d}"
    return (Verdict("CertificateServed", "True", "CertificateKnown", message),)


def _late(view: TierView) -> list[str]:
    """Return the pods that show another certificate than the Secret's."""
    wanted = view.certificate.digest if view.certificate else ""
    return sorted(pod for pod, shown in view.served.items() if shown.digest != wanted)
