from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class LikeChanged(_message.Message):
    __slots__ = ("post_id", "user_id", "liked", "version")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LIKED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    user_id: int
    liked: bool
    version: int
    def __init__(self, post_id: _Optional[int] = ..., user_id: _Optional[int] = ..., liked: bool = ..., version: _Optional[int] = ...) -> None: ...

class CommentChanged(_message.Message):
    __slots__ = ("post_id", "comment_id", "author_id", "text", "deleted", "create_time_ms", "version")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    comment_id: int
    author_id: int
    text: str
    deleted: bool
    create_time_ms: int
    version: int
    def __init__(self, post_id: _Optional[int] = ..., comment_id: _Optional[int] = ..., author_id: _Optional[int] = ..., text: _Optional[str] = ..., deleted: bool = ..., create_time_ms: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class CountsChanged(_message.Message):
    __slots__ = ("post_id", "like_count", "comment_count")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    LIKE_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    like_count: int
    comment_count: int
    def __init__(self, post_id: _Optional[int] = ..., like_count: _Optional[int] = ..., comment_count: _Optional[int] = ...) -> None: ...
