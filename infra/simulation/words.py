"""Moments and lengths of time, as a terminal and a picture show them."""

import math
from datetime import datetime


def moment(local: datetime) -> str:
    """`Sun 25 Oct 02:58:00 CET`: the zone's letters tell an hour that comes twice."""
    return f"{local:%a} {local.day} {local:%b %H:%M:%S %Z}"


def length(seconds: float) -> str:
    """`45 s`, `4 min 5 s`, `2 h 10 min`, `3 d 4 h`: two units at most; `never` for one without end.

    Cut and not rounded, so that what is called five minutes was.
    """
    if math.isinf(seconds):
        return "never"
    whole = int(seconds)
    for size, unit, smaller, smaller_unit in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
    return f"{whole} s"


def since(seconds: float) -> str:
    """`+0:04:05`, `+3 d 21:05:00`."""
    whole = int(seconds)
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"+{days} d {clock}" if days else f"+{clock}"
