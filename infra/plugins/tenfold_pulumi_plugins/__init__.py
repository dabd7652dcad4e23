"""Stand-ins for the Pulumi plugins where Pulumi's distribution cannot be had."""
