"""Entry point of the Pulumi program: checks the configuration, then provisions the platform."""

import pulumi
from pulumi.runtime.config import CONFIG
from tenfold_infra.config import ConfigError, parse
from tenfold_infra.program import provision

try:
    # pulumi.Config answers for keys that one asks for; unknown ones show only in the whole.
    platform = parse(CONFIG.get())
except ConfigError as error:
    raise pulumi.RunError(str(error)) from error
provision(platform)
