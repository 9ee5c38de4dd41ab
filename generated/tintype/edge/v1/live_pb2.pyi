from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from tintype.edge.v1 import resources_pb2 as _resources_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchPostsRequest(_message.Message):
    __slots__ = ("post_ids", "cursor")
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    post_ids: _containers.RepeatedScalarFieldContainer[str]
    cursor: str
    def __init__(self, post_ids: _Optional[_Iterable[str]] = ..., cursor: _Optional[str] = ...) -> None: ...

class WatchPostsResponse(_message.Message):
    __slots__ = ("post_id", "kind", "like_count", "comment_count", "comment", "cursor", "end_reason")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[WatchPostsResponse.Kind]
        LIKES: _ClassVar[WatchPostsResponse.Kind]
        COMMENT: _ClassVar[WatchPostsResponse.Kind]
        DELETED: _ClassVar[WatchPostsResponse.Kind]
        HEARTBEAT: _ClassVar[WatchPostsResponse.Kind]
        END: _ClassVar[WatchPostsResponse.Kind]
    KIND_UNSPECIFIED: WatchPostsResponse.Kind
    LIKES: WatchPostsResponse.Kind
    COMMENT: WatchPostsResponse.Kind
    DELETED: WatchPostsResponse.Kind
    HEARTBEAT: WatchPostsResponse.Kind
    END: WatchPostsResponse.Kind
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LIKE_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    post_id: str
    kind: WatchPostsResponse.Kind
    like_count: int
    comment_count: int
    comment: _resources_pb2.Comment
    cursor: str
    end_reason: str
    def __init__(self, post_id: _Optional[str] = ..., kind: _Optional[_Union[WatchPostsResponse.Kind, str]] = ..., like_count: _Optional[int] = ..., comment_count: _Optional[int] = ..., comment: _Optional[_Union[_resources_pb2.Comment, _Mapping]] = ..., cursor: _Optional[str] = ..., end_reason: _Optional[str] = ...) -> None: ...
