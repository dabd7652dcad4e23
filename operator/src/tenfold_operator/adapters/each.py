"""One question to many pods at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


async def ask_each(
    addresses: Mapping[str, str], question: Callable[[str, str], Awaitable[T | None]]
) -> dict[str, T]:
    """Return what each pod answers, by its name, in the order of `addresses`.

    Args:
        addresses: Of the pods, by name.
        question: Called with a pod and its address; None where it is silent, who is left out.
    """
    found = await asyncio.gather(*(question(*each) for each in addresses.items()))
    return {pod: answer for pod, answer in zip(addresses, found, strict=True) if answer is not None}
