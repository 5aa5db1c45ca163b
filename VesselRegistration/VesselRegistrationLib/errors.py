"""What can go wrong through no fault of the program."""


class UserError(Exception):
    """Input that cannot be used. The message is one sentence: what is wrong and what to do about it."""


class Cancelled(Exception):
    """The user asked a long operation to stop; nothing has been written."""
