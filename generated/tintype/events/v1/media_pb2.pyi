from tintype.type.v1 import content_pb2 as _content_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssetUploaded(_message.Message):
    __slots__ = ("asset_id", "owner_id")
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    asset_id: int
    owner_id: int
    def __init__(self, asset_id: _Optional[int] = ..., owner_id: _Optional[int] = ...) -> None: ...

class AssetProcessed(_message.Message):
    __slots__ = ("asset_id", "owner_id", "ready")
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    asset_id: int
    owner_id: int
    ready: bool
    def __init__(self, asset_id: _Optional[int] = ..., owner_id: _Optional[int] = ..., ready: bool = ...) -> None: ...

class PostChanged(_message.Message):
    __slots__ = ("post_id", "author_id", "caption", "hashtags", "place", "audience", "archived", "deleted", "version", "create_time_ms", "restrictions")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    HASHTAGS_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    RESTRICTIONS_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    author_id: int
    caption: str
    hashtags: _containers.RepeatedScalarFieldContainer[str]
    place: _content_pb2.Place
    audience: _content_pb2.Audience
    archived: bool
    deleted: bool
    version: int
    create_time_ms: int
    restrictions: _containers.RepeatedScalarFieldContainer[_content_pb2.Restriction]
    def __init__(self, post_id: _Optional[int] = ..., author_id: _Optional[int] = ..., caption: _Optional[str] = ..., hashtags: _Optional[_Iterable[str]] = ..., place: _Optional[_Union[_content_pb2.Place, _Mapping]] = ..., audience: _Optional[_Union[_content_pb2.Audience, str]] = ..., archived: bool = ..., deleted: bool = ..., version: _Optional[int] = ..., create_time_ms: _Optional[int] = ..., restrictions: _Optional[_Iterable[_Union[_content_pb2.Restriction, str]]] = ...) -> None: ...
