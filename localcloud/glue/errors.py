"""Glue's errors as the API gives them."""


class GlueError(Exception):
    """An error that a caller of the API sees; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InvalidInputError(GlueError):
    """The request is not valid."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidInputException", message)


class NotFoundError(GlueError):
    """There is no such job or run."""

    def __init__(self, message: str) -> None:
        super().__init__("EntityNotFoundException", message)


class UnsupportedError(GlueError):
    """AWS has it and the laptop has not."""

    def __init__(self, what: str) -> None:
        super().__init__("UnsupportedOperation", f"The laptop's Glue does not implement {what}.")
