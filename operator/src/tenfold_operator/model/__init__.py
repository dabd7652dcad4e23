"""What the operator knows: resources (generated from the CRDs) and what was observed."""
