"""What can go wrong on a laptop that a person can mend: shown as one sentence, without a trace."""


class LaptopError(Exception):
    """The message says what is wrong and what to do about it."""
