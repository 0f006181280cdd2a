"""How long a function waits for AWS:

a call that hangs must not outlast the function that made it.
"""

from botocore.config import Config

SHORT = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=2
)
"""Two tries and the pause between them end within seven seconds."""
