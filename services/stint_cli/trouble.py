"""What an operator has to do something about."""


class Trouble(Exception):  # noqa: N818 - it is no error of ours: it is a sentence for the person at the terminal
    """Say in one line what is in the way and what to do about it. Printed as it is, without a traceback."""
