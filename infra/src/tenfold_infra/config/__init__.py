"""The configuration of a stack."""

from tenfold_infra.config.load import ConfigError, parse
from tenfold_infra.config.models import Platform

__all__ = ["ConfigError", "Platform", "parse"]
