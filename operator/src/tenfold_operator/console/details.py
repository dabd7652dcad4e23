"""Resources in full as JSON, written out once a change however many ask."""

from collections import OrderedDict

from tenfold_operator.console import catalog
from tenfold_operator.console.source import Source
from tenfold_operator.model.manifest import Ref

_REMEMBERED = 64


class Details:
    """The last ones that were asked for, until something of them changes."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: OrderedDict[Ref, bytes] = OrderedDict()
        source.store.subscribe(self._forget)
        source.journal.subscribe(self._forget)

    def read(self, ref: Ref) -> bytes | None:
        """Return the JSON of a resource; None when it is gone.

        Raises pydantic.ValidationError for one that does not fit its definition.
        """
        if ref not in self._known:
            found = catalog.detail(self._source, ref)
            if found is None:
                return None
            self._known[ref] = found.model_dump_json(by_alias=True, exclude_none=True).encode()
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return self._known[ref]

    def _forget(self, ref: Ref) -> None:
        self._known.pop(ref, None)
        if ref.kind in ("RedisBackup", "RedisRestore"):
            # They are told with their tier.
            for known in [each for each in self._known if each.kind == "RedisTier"]:
                del self._known[known]
