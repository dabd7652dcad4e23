"""Where load may go: to this machine, unless a reason is given for anything else."""

import ipaddress
import json
import socket
import urllib.error
import urllib.parse
import urllib.request

import psutil

# The nodes and pods of the embedded cluster: network namespaces of this machine.
_CLUSTER_NETWORKS = (
    ipaddress.ip_network("10.99.0.0/16"),
    ipaddress.ip_network("10.244.0.0/16"),
)
_ANSWER_SECONDS = 5.0

# Past any http_proxy of the environment, as the load itself goes.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class HostError(Exception):
    """The host cannot or must not be given load; the message says what to do."""


def check_allowed(url: str) -> None:
    """Refuse a host with any address outside of this machine.

    A load test sent to somebody else's address is an attack.
    """
    for address in _addresses(url):
        if not (address.is_loopback or _in_cluster(address) or str(address) in _own_addresses()):
            raise HostError(
                f"{url} leads to {address}, which is not an address of this machine. If its owner"
                " agreed to the load, say so: --allow-remote 'REASON'."
            )


def check_answers(url: str) -> None:
    """Refuse a host that is away or is no Tenfold gateway, before any load is sent."""
    info = f"{url.rstrip('/')}/v1/info"
    hint = "Is the platform up (`tenfold status`)? Give another address by --host URL."
    try:
        with _DIRECT.open(info, timeout=_ANSWER_SECONDS) as answer:
            version = json.load(answer)["version"]
    except urllib.error.HTTPError as error:
        raise HostError(f"{info} answered {error.code} {error.reason}. {hint}") from error
    except OSError as error:
        raise HostError(f"{info} cannot be reached: {error}. {hint}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(f"{info} is not a Tenfold gateway's. {hint}") from error
    if not isinstance(version, str):
        raise HostError(f"{info} is not a Tenfold gateway's. {hint}")


def _addresses(url: str) -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HostError(f"{url!r} is not a URL of the form http://HOST[:PORT].")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise HostError(f"The name {parts.hostname} cannot be resolved: {error}.") from error
    except ValueError as error:
        raise HostError(f"{url!r} has no valid port: {error}.") from error
    return {ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found}


def _in_cluster(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address in network for network in _CLUSTER_NETWORKS)


def _own_addresses() -> set[str]:
    return {
        entry.address.partition("%")[0]
        for interface in psutil.net_if_addrs().values()
        for entry in interface
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    }
