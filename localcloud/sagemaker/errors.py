"""SageMaker's errors as the API gives them."""


class SageMakerError(Exception):
    """An error that a caller of the API sees.

    Attributes
    ----------
    code : str
        AWS's error code.
    message : str
        AWS's message.
    status : int
        HTTP status.
    details : dict
        Further members of the error's body.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **details: object) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = details


class InvalidRequestError(SageMakerError):
    """The request, or the resource that it names, is not valid."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class InUseError(SageMakerError):
    """A job of that name exists."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message)


class UnsupportedError(SageMakerError):
    """AWS has it and the laptop has not: refused by name, so that nothing pretends."""

    def __init__(self, what: str) -> None:
        super().__init__("UnsupportedOperation", f"The laptop's SageMaker does not implement {what}.")


class JobFailedError(Exception):
    """A job or a container failed; the text is the job's ``FailureReason``."""


class JobStoppedError(Exception):
    """A job was asked to stop."""
