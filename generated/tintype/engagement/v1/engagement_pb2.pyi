from buf.validate import validate_pb2 as _validate_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Comment(_message.Message):
    __slots__ = ("comment_id", "post_id", "author_id", "parent_comment_id", "text", "create_time_ms", "edit_time_ms", "reply_count")
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    EDIT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    REPLY_COUNT_FIELD_NUMBER: _ClassVar[int]
    comment_id: int
    post_id: int
    author_id: int
    parent_comment_id: int
    text: str
    create_time_ms: int
    edit_time_ms: int
    reply_count: int
    def __init__(self, comment_id: _Optional[int] = ..., post_id: _Optional[int] = ..., author_id: _Optional[int] = ..., parent_comment_id: _Optional[int] = ..., text: _Optional[str] = ..., create_time_ms: _Optional[int] = ..., edit_time_ms: _Optional[int] = ..., reply_count: _Optional[int] = ...) -> None: ...

class PostCounts(_message.Message):
    __slots__ = ("post_id", "like_count", "comment_count", "liked")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    LIKE_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIKED_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    like_count: int
    comment_count: int
    liked: bool
    def __init__(self, post_id: _Optional[int] = ..., like_count: _Optional[int] = ..., comment_count: _Optional[int] = ..., liked: bool = ...) -> None: ...

class LikeRequest(_message.Message):
    __slots__ = ("post_id",)
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    def __init__(self, post_id: _Optional[int] = ...) -> None: ...

class LikeResponse(_message.Message):
    __slots__ = ("counts",)
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    counts: PostCounts
    def __init__(self, counts: _Optional[_Union[PostCounts, _Mapping]] = ...) -> None: ...

class UnlikeRequest(_message.Message):
    __slots__ = ("post_id",)
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    def __init__(self, post_id: _Optional[int] = ...) -> None: ...

class UnlikeResponse(_message.Message):
    __slots__ = ("counts",)
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    counts: PostCounts
    def __init__(self, counts: _Optional[_Union[PostCounts, _Mapping]] = ...) -> None: ...

class ListLikersRequest(_message.Message):
    __slots__ = ("post_id", "page_size", "cursor")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    page_size: int
    cursor: bytes
    def __init__(self, post_id: _Optional[int] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListLikersResponse(_message.Message):
    __slots__ = ("user_ids", "next_cursor", "like_time_ms")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIKE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    like_time_ms: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ..., like_time_ms: _Optional[_Iterable[int]] = ...) -> None: ...

class CreateCommentRequest(_message.Message):
    __slots__ = ("request_id", "post_id", "parent_comment_id", "text")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    post_id: int
    parent_comment_id: int
    text: str
    def __init__(self, request_id: _Optional[str] = ..., post_id: _Optional[int] = ..., parent_comment_id: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class CreateCommentResponse(_message.Message):
    __slots__ = ("comment",)
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    comment: Comment
    def __init__(self, comment: _Optional[_Union[Comment, _Mapping]] = ...) -> None: ...

class ListCommentsRequest(_message.Message):
    __slots__ = ("post_id", "page_size", "cursor")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    page_size: int
    cursor: bytes
    def __init__(self, post_id: _Optional[int] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListCommentsResponse(_message.Message):
    __slots__ = ("comments", "next_cursor")
    COMMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    comments: _containers.RepeatedCompositeFieldContainer[Comment]
    next_cursor: bytes
    def __init__(self, comments: _Optional[_Iterable[_Union[Comment, _Mapping]]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class ListRepliesRequest(_message.Message):
    __slots__ = ("comment_id", "page_size", "cursor")
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    comment_id: int
    page_size: int
    cursor: bytes
    def __init__(self, comment_id: _Optional[int] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListRepliesResponse(_message.Message):
    __slots__ = ("comments", "next_cursor")
    COMMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    comments: _containers.RepeatedCompositeFieldContainer[Comment]
    next_cursor: bytes
    def __init__(self, comments: _Optional[_Iterable[_Union[Comment, _Mapping]]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class BatchGetCommentsRequest(_message.Message):
    __slots__ = ("comment_ids",)
    COMMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    comment_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, comment_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetCommentsResponse(_message.Message):
    __slots__ = ("comments",)
    COMMENTS_FIELD_NUMBER: _ClassVar[int]
    comments: _containers.RepeatedCompositeFieldContainer[Comment]
    def __init__(self, comments: _Optional[_Iterable[_Union[Comment, _Mapping]]] = ...) -> None: ...

class UpdateCommentRequest(_message.Message):
    __slots__ = ("comment_id", "text")
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    comment_id: int
    text: str
    def __init__(self, comment_id: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class UpdateCommentResponse(_message.Message):
    __slots__ = ("comment",)
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    comment: Comment
    def __init__(self, comment: _Optional[_Union[Comment, _Mapping]] = ...) -> None: ...

class DeleteCommentRequest(_message.Message):
    __slots__ = ("comment_id",)
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    comment_id: int
    def __init__(self, comment_id: _Optional[int] = ...) -> None: ...

class DeleteCommentResponse(_message.Message):
    __slots__ = ("post_id",)
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    def __init__(self, post_id: _Optional[int] = ...) -> None: ...

class BatchGetCountsRequest(_message.Message):
    __slots__ = ("post_ids",)
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, post_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetCountsResponse(_message.Message):
    __slots__ = ("counts",)
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[PostCounts]
    def __init__(self, counts: _Optional[_Iterable[_Union[PostCounts, _Mapping]]] = ...) -> None: ...

class BatchGetViewerStatesRequest(_message.Message):
    __slots__ = ("post_ids",)
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, post_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetViewerStatesResponse(_message.Message):
    __slots__ = ("liked_post_ids",)
    LIKED_POST_IDS_FIELD_NUMBER: _ClassVar[int]
    liked_post_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, liked_post_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class WatchPostsRequest(_message.Message):
    __slots__ = ("post_ids", "cursor")
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    cursor: str
    def __init__(self, post_ids: _Optional[_Iterable[int]] = ..., cursor: _Optional[str] = ...) -> None: ...

class WatchPostsResponse(_message.Message):
    __slots__ = ("counts", "comment", "deleted_comment_id", "heartbeat", "end", "post_id", "cursor", "end_reason")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    DELETED_COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    counts: PostCounts
    comment: Comment
    deleted_comment_id: int
    heartbeat: bool
    end: bool
    post_id: int
    cursor: str
    end_reason: str
    def __init__(self, counts: _Optional[_Union[PostCounts, _Mapping]] = ..., comment: _Optional[_Union[Comment, _Mapping]] = ..., deleted_comment_id: _Optional[int] = ..., heartbeat: bool = ..., end: bool = ..., post_id: _Optional[int] = ..., cursor: _Optional[str] = ..., end_reason: _Optional[str] = ...) -> None: ...
