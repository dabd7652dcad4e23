"""The volumes of a tier's servers: they grow to the size that the spec asks for, and never shrink.

The templates of a StatefulSet's claims cannot be changed. So the claims are made to ask for more
first; then the StatefulSet is deleted without its pods and made anew around them, for pods that
come later to have volumes of the new size too. Each step is found by what is there, so an operator
that starts goes on wherever another one stopped.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import (
    Ref,
    at,
    number_at,
    object_at,
    objects_at,
    quantity,
    text_at,
)
from tenfold_operator.model.observed import Claim, TierView
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan.actions import Action, Delete, Merge, Refuse
from tenfold_operator.plan.conditions import Verdict

_CONDITION = "VolumesGrown"


def template_size(view: TierView, name: str) -> str:
    """Return the size of the volumes that a StatefulSet gives to new pods, or is to give them."""
    found = _in_template(_stateful_set(view, name))
    return found or view.tier.spec.persistence.size


def classes_in_question(view: TierView) -> frozenset[str]:
    """Return the StorageClasses of volumes that are to grow: those that TierView.growable is of."""
    return frozenset(each.storage_class for each in _short(view))


def plan_growth(view: TierView) -> Iterator[Action]:
    """Take the next step for the servers' volumes; none when one of them cannot grow."""
    namespace, size = view.tier.metadata.namespace, view.tier.spec.persistence.size
    if fixed := _fixed(view):
        yield Refuse(reason="VolumesCannotGrow", message=_cannot_grow(view, fixed))
        return
    for claim in _short(view):
        if claim.capacity:  # one without a volume yet is refused any change
            ref = Ref("PersistentVolumeClaim", namespace, claim.name)
            patch: JsonObject = {"spec": {"resources": {"requests": {"storage": size}}}}
            yield Merge(ref=ref, patch=patch, why=f"its server is to have {size}")
    for name in names.server_sets(view.tier):
        if _is_outgrown(view, name):
            why = f"it is made anew around its pods, for new ones to have {size} too"
            yield Delete(ref=Ref("StatefulSet", namespace, name), alone=True, why=why)


def verdicts(view: TierView) -> Iterator[Verdict]:
    """Tell how far the volumes have come; nothing while none is known."""
    if not _claims(view):
        return
    if fixed := _fixed(view):
        yield Verdict(_CONDITION, "False", "CannotExpand", _cannot_grow(view, fixed))
    elif growing := [*_growing(view)]:
        message = f"volumes grow to {view.tier.spec.persistence.size}: {'; '.join(growing)}"
        yield Verdict(_CONDITION, "False", "Growing", message)
    else:
        message = f"no volume is smaller than {view.tier.spec.persistence.size}"
        yield Verdict(_CONDITION, "True", "AsWanted", message)


def _growing(view: TierView) -> Iterator[str]:
    """Yield what is waited for."""
    for claim in _claims(view):
        has = claim.capacity or "no volume yet"
        asked = "" if _is_enough(view, claim.requested) else ", not asked to grow yet"
        notes = f" ({claim.notes})" if claim.notes else ""
        if asked or (claim.capacity and not _is_enough(view, claim.capacity)):
            yield f"{claim.name} has {has}{asked}{notes}"
    for name in names.server_sets(view.tier):
        found = _stateful_set(view, name)
        if found and not _is_enough(view, _in_template(found)):
            yield f"StatefulSet {name} is to be made anew"


def _fixed(view: TierView) -> tuple[Claim, ...]:
    """Return the claims that should grow and may not."""
    short = _short(view)
    return tuple(each for each in short if each.storage_class not in view.growable)


def _cannot_grow(view: TierView, fixed: Sequence[Claim]) -> str:
    classes = ", ".join(sorted({each.storage_class or "none" for each in fixed}))
    claims = ", ".join(f"{each.name} ({each.requested})" for each in fixed)
    size = view.tier.spec.persistence.size
    return (
        f"{claims} cannot grow to {size}: StorageClass {classes} does not have "
        "allowVolumeExpansion; set it where the driver can grow volumes, or make a new tier and "
        "move the data"
    )


def _short(view: TierView) -> tuple[Claim, ...]:
    """Return the claims that do not ask for enough yet."""
    return tuple(each for each in _claims(view) if not _is_enough(view, each.requested))


def _is_outgrown(view: TierView, name: str) -> bool:
    """Whether a StatefulSet's template is behind the claims of all its pods."""
    found, claims = _stateful_set(view, name), _claims_of(view, name)
    if not found or at(found, "metadata", "deletionTimestamp"):
        return False
    ask = sum(_is_enough(view, each.requested) for each in claims)
    return ask == number_at(found, "spec", "replicas") and not _is_enough(view, _in_template(found))


def _claims(view: TierView) -> tuple[Claim, ...]:
    sets = names.server_sets(view.tier)
    return tuple(each for name in sets for each in _claims_of(view, name))


def _claims_of(view: TierView, name: str) -> tuple[Claim, ...]:
    """Return the claims of a StatefulSet's pods; those of pods that went stay as they are."""
    size = number_at(_stateful_set(view, name), "spec", "replicas")
    own = {names.claim(f"{name}-{number}") for number in range(size)}
    return tuple(each for each in view.claims if each.name in own)


def _stateful_set(view: TierView, name: str) -> JsonObject:
    return view.objects.get(Ref("StatefulSet", view.tier.metadata.namespace, name), {})


def _in_template(stateful_set: JsonObject) -> str:
    for template in objects_at(stateful_set, "spec", "volumeClaimTemplates"):
        return text_at(object_at(template, "spec", "resources", "requests"), "storage")
    return ""


def _is_enough(view: TierView, size: str) -> bool:
    return _bytes(size) >= _bytes(view.tier.spec.persistence.size)


def _bytes(size: str) -> Decimal:
    found = quantity(size)
    return found if found is not None else Decimal(0)
