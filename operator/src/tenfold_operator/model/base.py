"""What all generated resource models share."""

from typing import TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

JsonObject: TypeAlias = dict[str, JsonValue]
"""A part of a resource that Kubernetes defines and Tenfold only passes on."""


class Model(BaseModel):
    """Frozen, with the camelCase names of the YAML outside and snake_case inside."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    def to_json(self) -> JsonObject:
        """Return the YAML form; what was left out stays out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ObjectMeta(Model):
    """The part of an object's metadata that is used."""

    name: str
    namespace: str
    uid: str = ""
    generation: int = 0
    creation_timestamp: AwareDatetime | None = None
    deletion_timestamp: AwareDatetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
