"""Writes Python models and documentation out of CRDs; used while developing, never at run time.

datamodel-code-generator was tried first: it drops fields that a schema preserves, makes every
field with a default optional and names classes Spec1, Metadata1.
"""
