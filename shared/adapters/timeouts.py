"""How long a function waits for AWS:

a call that hangs must not outlast the function that made it.
"""

from botocore.config import Config

SHORT = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=2
)
"""Two tries and the pause between them end within seven seconds."""

ONCE = Config(
    retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=4
)
"""For messages to people: the queue tries again, and what was taken late would go out twice."""
