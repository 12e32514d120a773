"""AppSync Events: the records of APIs, namespaces and data sources, and what makes and changes them."""

from collections.abc import Callable
from typing import Any

from ministack.services import appsync as _graphql
from ministack.services import appsync_events as _events

apis: Any = _events._apis
"""Records of Event APIs by their id."""
namespaces: Any = _events._channel_namespaces
"""Records of channel namespaces by name, of each API by its id."""
data_sources: Any = _graphql._data_sources
"""Records of data sources by name, of each API by its id."""

Answer = tuple[int, dict[str, str], bytes]
create_api: Callable[[bytes], Answer] = _events._create_api
update_api: Callable[[str, bytes], Answer] = _events._update_api
delete_api: Callable[[str], Answer] = _events._delete_api
create_namespace: Callable[[str, bytes], Answer] = _events._create_channel_namespace
update_namespace: Callable[[str, str, bytes], Answer] = _events._update_channel_namespace
delete_namespace: Callable[[str, str], Answer] = _events._delete_channel_namespace
