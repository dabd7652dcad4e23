"""Whether a node answers."""

import asyncio

from tenfold_operator.plan.reachability import Node


async def answers(node: Node, patience: float) -> bool | None:
    """Tell whether the node's own network stack answers within `patience` seconds.

    A refused connection is an answer. None when this process was too busy to tell.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with asyncio.timeout(patience):
            _reader, writer = await asyncio.open_connection(node.address, node.port)
    except TimeoutError:
        return None if loop.time() - started > patience * 1.5 else False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    writer.close()
    return True
