from buf.validate import validate_pb2 as _validate_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PostRef(_message.Message):
    __slots__ = ("post_id", "author_id", "pulled")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    PULLED_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    author_id: int
    pulled: bool
    def __init__(self, post_id: _Optional[int] = ..., author_id: _Optional[int] = ..., pulled: bool = ...) -> None: ...

class GetHomeRequest(_message.Message):
    __slots__ = ("page_size", "before_post_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_POST_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    before_post_id: int
    def __init__(self, page_size: _Optional[int] = ..., before_post_id: _Optional[int] = ...) -> None: ...

class GetHomeResponse(_message.Message):
    __slots__ = ("posts", "next_before_post_id")
    POSTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_BEFORE_POST_ID_FIELD_NUMBER: _ClassVar[int]
    posts: _containers.RepeatedCompositeFieldContainer[PostRef]
    next_before_post_id: int
    def __init__(self, posts: _Optional[_Iterable[_Union[PostRef, _Mapping]]] = ..., next_before_post_id: _Optional[int] = ...) -> None: ...

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
    __slots__ = ("posts", "next_before_post_id")
    POSTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_BEFORE_POST_ID_FIELD_NUMBER: _ClassVar[int]
    posts: _containers.RepeatedCompositeFieldContainer[PostRef]
    next_before_post_id: int
    def __init__(self, posts: _Optional[_Iterable[_Union[PostRef, _Mapping]]] = ..., next_before_post_id: _Optional[int] = ...) -> None: ...

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
