"""How much comes from where: an approximate count per container, form and network.

In memory only: a shared counter would be one more thing that can refuse a lead. A container takes
one request at a time, so nothing is locked.
"""

from collections import OrderedDict
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Literal

from shared.domain.form import Form
from shared.errors import TooManyRequestsError

MOST_NETWORKS = 4096
"""About 1 MB; the network that was silent longest is forgotten first."""
MINUTE = 60.0


class Bursts:
    """Buckets of tokens: a full one holds a minute's worth, and fills up within a minute."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        """What was taken from a bucket, and when."""

    def signal(self, form: Form, source_ip: str, now: datetime) -> Literal["burst"] | None:
        """Counts one submission; says whether it is over the form's soft limit.

        Raises TooManyRequestsError over the hard limit, and does not count what it refuses.
        """
        bucket = (form.form_id, network_of(source_ip))
        moment = now.timestamp()
        taken, before = self._buckets.get(bucket, (0.0, moment))
        # Under a burst the bucket empties at the hard limit's speed, or it would stay shut long.
        speed = form.limits.hard if taken > form.limits.soft else form.limits.soft
        taken = max(0.0, taken - max(0.0, moment - before) * speed / MINUTE) + 1
        if taken > form.limits.hard:
            raise TooManyRequestsError("burst")
        self._buckets[bucket] = (taken, moment)
        self._buckets.move_to_end(bucket)
        if len(self._buckets) > MOST_NETWORKS:
            self._buckets.popitem(last=False)
        return "burst" if taken > form.limits.soft else None


def network_of(source_ip: str) -> str:
    """The /24 or /64 of an address: what one person, or one mobile operator's gate, sends from."""
    try:
        address = ip_address(source_ip)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    kept = 24 if address.version == 4 else 64
    return f"{int(address) >> (address.max_prefixlen - kept):x}/{kept}"
