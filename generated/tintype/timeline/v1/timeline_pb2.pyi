from buf.validate import validate_pb2 as _validate_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class GetHomeRequest(_message.Message):
    __slots__ = ("page_size", "before_post_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_POST_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    before_post_id: int
    def __init__(self, page_size: _Optional[int] = ..., before_post_id: _Optional[int] = ...) -> None: ...

class GetHomeResponse(_message.Message):
    __slots__ = ("next_before_post_id", "post_ids")
    NEXT_BEFORE_POST_ID_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    next_before_post_id: int
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, next_before_post_id: _Optional[int] = ..., post_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class ListAuthorPostsRequest(_message.Message):
    __slots__ = ("author_id", "page_size", "before_post_id")
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_POST_ID_FIELD_NUMBER: _ClassVar[int]
    author_id: int
    page_size: int
    before_post_id: int
    def __init__(self, author_id: _Optional[int] = ..., page_size: _Optional[int] = ..., before_post_id: _Optional[int] = ...) -> None: ...

class ListAuthorPostsResponse(_message.Message):
    __slots__ = ("next_before_post_id", "post_ids")
    NEXT_BEFORE_POST_ID_FIELD_NUMBER: _ClassVar[int]
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    next_before_post_id: int
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, next_before_post_id: _Optional[int] = ..., post_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetPostCountsRequest(_message.Message):
    __slots__ = ("author_ids",)
    AUTHOR_IDS_FIELD_NUMBER: _ClassVar[int]
    author_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, author_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetPostCountsResponse(_message.Message):
    __slots__ = ("post_counts",)
    POST_COUNTS_FIELD_NUMBER: _ClassVar[int]
    post_counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, post_counts: _Optional[_Iterable[int]] = ...) -> None: ...
