"""A problem that an operator has to solve."""


class Trouble(Exception):  # noqa: N818 - not a bug: a sentence for the person at the terminal
    """One line that says what is wrong and what to do. Printed as it is, without a traceback."""
