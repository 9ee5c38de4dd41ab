from buf.validate import validate_pb2 as _validate_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchUsersRequest(_message.Message):
    __slots__ = ("query", "page_size", "cursor")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    cursor: bytes
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class SearchUsersResponse(_message.Message):
    __slots__ = ("user_ids", "next_cursor")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class SearchPostsRequest(_message.Message):
    __slots__ = ("query", "page_size", "cursor")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    cursor: bytes
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class SearchPostsResponse(_message.Message):
    __slots__ = ("post_ids", "next_cursor")
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, post_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class Hashtag(_message.Message):
    __slots__ = ("tag", "post_count")
    TAG_FIELD_NUMBER: _ClassVar[int]
    POST_COUNT_FIELD_NUMBER: _ClassVar[int]
    tag: str
    post_count: int
    def __init__(self, tag: _Optional[str] = ..., post_count: _Optional[int] = ...) -> None: ...

class SearchHashtagsRequest(_message.Message):
    __slots__ = ("query", "page_size", "cursor")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    cursor: bytes
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class SearchHashtagsResponse(_message.Message):
    __slots__ = ("hashtags", "next_cursor")
    HASHTAGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    hashtags: _containers.RepeatedCompositeFieldContainer[Hashtag]
    next_cursor: bytes
    def __init__(self, hashtags: _Optional[_Iterable[_Union[Hashtag, _Mapping]]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class PlaceHit(_message.Message):
    __slots__ = ("place_id", "name", "latitude", "longitude", "post_count")
    PLACE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    POST_COUNT_FIELD_NUMBER: _ClassVar[int]
    place_id: str
    name: str
    latitude: float
    longitude: float
    post_count: int
    def __init__(self, place_id: _Optional[str] = ..., name: _Optional[str] = ..., latitude: _Optional[float] = ..., longitude: _Optional[float] = ..., post_count: _Optional[int] = ...) -> None: ...

class SearchPlacesRequest(_message.Message):
    __slots__ = ("query", "page_size", "cursor")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    cursor: bytes
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class SearchPlacesResponse(_message.Message):
    __slots__ = ("places", "next_cursor")
    PLACES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    places: _containers.RepeatedCompositeFieldContainer[PlaceHit]
    next_cursor: bytes
    def __init__(self, places: _Optional[_Iterable[_Union[PlaceHit, _Mapping]]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class ListTaggedRequest(_message.Message):
    __slots__ = ("hashtag", "place_id", "page_size", "cursor")
    HASHTAG_FIELD_NUMBER: _ClassVar[int]
    PLACE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    hashtag: str
    place_id: str
    page_size: int
    cursor: bytes
    def __init__(self, hashtag: _Optional[str] = ..., place_id: _Optional[str] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListTaggedResponse(_message.Message):
    __slots__ = ("post_ids", "next_cursor")
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, post_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class ReindexRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReindexResponse(_message.Message):
    __slots__ = ("user_count", "post_count")
    USER_COUNT_FIELD_NUMBER: _ClassVar[int]
    POST_COUNT_FIELD_NUMBER: _ClassVar[int]
    user_count: int
    post_count: int
    def __init__(self, user_count: _Optional[int] = ..., post_count: _Optional[int] = ...) -> None: ...
