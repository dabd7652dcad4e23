"""The Kubernetes provider: a stand-in for `pulumi-resource-kubernetes`.

It serves any `kubernetes:<group>/<version>:<Kind>` by server-side apply and keeps state that the
official provider can go on from, so that a stack may change between the two.
"""
