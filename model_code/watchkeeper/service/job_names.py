"""Names of what a task makes in SageMaker: `{}` is the request (`tasks.request_key_id`), the second one
the share of a search.

They depend on nothing else, so that a state which is carried out again means the same job.
"""

from watchkeeper.core import layout

PREFIX = layout.endpoint_name(layout.RESERVED_WORKLOAD)
SEARCH = f"{PREFIX}-search-{{}}-{{}}"
FIT = f"{PREFIX}-fit-{{}}"
JUDGE = f"{PREFIX}-judge-{{}}"
PACKAGE_GROUP = PREFIX
"""The model package group of the service's models."""


def of_any_request(template: str) -> str:
    """Return the names that a template gives to any request, as a pattern with one `*` at its end.

    Examples
    --------
    >>> of_any_request(SEARCH)
    'watchkeeper-anomaly-service-search-*'
    """
    return f"{template.partition('{}')[0]}*"
