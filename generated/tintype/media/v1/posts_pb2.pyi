from buf.validate import validate_pb2 as _validate_pb2
from tintype.media.v1 import assets_pb2 as _assets_pb2
from tintype.type.v1 import content_pb2 as _content_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Post(_message.Message):
    __slots__ = ("post_id", "author_id", "assets", "caption", "place", "audience", "comments_disabled", "archived", "create_time_ms", "version", "hashtags", "restrictions")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    COMMENTS_DISABLED_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HASHTAGS_FIELD_NUMBER: _ClassVar[int]
    RESTRICTIONS_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    author_id: int
    assets: _containers.RepeatedCompositeFieldContainer[_assets_pb2.Asset]
    caption: str
    place: _content_pb2.Place
    audience: _content_pb2.Audience
    comments_disabled: bool
    archived: bool
    create_time_ms: int
    version: int
    hashtags: _containers.RepeatedScalarFieldContainer[str]
    restrictions: _containers.RepeatedScalarFieldContainer[_content_pb2.Restriction]
    def __init__(self, post_id: _Optional[int] = ..., author_id: _Optional[int] = ..., assets: _Optional[_Iterable[_Union[_assets_pb2.Asset, _Mapping]]] = ..., caption: _Optional[str] = ..., place: _Optional[_Union[_content_pb2.Place, _Mapping]] = ..., audience: _Optional[_Union[_content_pb2.Audience, str]] = ..., comments_disabled: bool = ..., archived: bool = ..., create_time_ms: _Optional[int] = ..., version: _Optional[int] = ..., hashtags: _Optional[_Iterable[str]] = ..., restrictions: _Optional[_Iterable[_Union[_content_pb2.Restriction, str]]] = ...) -> None: ...

class CreatePostRequest(_message.Message):
    __slots__ = ("request_id", "asset_ids", "caption", "place", "audience", "comments_disabled")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ASSET_IDS_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    COMMENTS_DISABLED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    asset_ids: _containers.RepeatedScalarFieldContainer[int]
    caption: str
    place: _content_pb2.Place
    audience: _content_pb2.Audience
    comments_disabled: bool
    def __init__(self, request_id: _Optional[str] = ..., asset_ids: _Optional[_Iterable[int]] = ..., caption: _Optional[str] = ..., place: _Optional[_Union[_content_pb2.Place, _Mapping]] = ..., audience: _Optional[_Union[_content_pb2.Audience, str]] = ..., comments_disabled: bool = ...) -> None: ...

class CreatePostResponse(_message.Message):
    __slots__ = ("post",)
    POST_FIELD_NUMBER: _ClassVar[int]
    post: Post
    def __init__(self, post: _Optional[_Union[Post, _Mapping]] = ...) -> None: ...

class BatchGetPostsRequest(_message.Message):
    __slots__ = ("post_ids",)
    POST_IDS_FIELD_NUMBER: _ClassVar[int]
    post_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, post_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetPostsResponse(_message.Message):
    __slots__ = ("posts",)
    POSTS_FIELD_NUMBER: _ClassVar[int]
    posts: _containers.RepeatedCompositeFieldContainer[Post]
    def __init__(self, posts: _Optional[_Iterable[_Union[Post, _Mapping]]] = ...) -> None: ...

class UpdatePostRequest(_message.Message):
    __slots__ = ("post", "paths")
    POST_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    post: Post
    paths: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, post: _Optional[_Union[Post, _Mapping]] = ..., paths: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdatePostResponse(_message.Message):
    __slots__ = ("post",)
    POST_FIELD_NUMBER: _ClassVar[int]
    post: Post
    def __init__(self, post: _Optional[_Union[Post, _Mapping]] = ...) -> None: ...

class DeletePostRequest(_message.Message):
    __slots__ = ("post_id",)
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    def __init__(self, post_id: _Optional[int] = ...) -> None: ...

class DeletePostResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetRestrictionRequest(_message.Message):
    __slots__ = ("post_id", "restriction", "holds")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    RESTRICTION_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    restriction: _content_pb2.Restriction
    holds: bool
    def __init__(self, post_id: _Optional[int] = ..., restriction: _Optional[_Union[_content_pb2.Restriction, str]] = ..., holds: bool = ...) -> None: ...

class SetRestrictionResponse(_message.Message):
    __slots__ = ("post",)
    POST_FIELD_NUMBER: _ClassVar[int]
    post: Post
    def __init__(self, post: _Optional[_Union[Post, _Mapping]] = ...) -> None: ...

class ListPostsRequest(_message.Message):
    __slots__ = ("page_size", "after_post_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    AFTER_POST_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    after_post_id: int
    def __init__(self, page_size: _Optional[int] = ..., after_post_id: _Optional[int] = ...) -> None: ...

class ListPostsResponse(_message.Message):
    __slots__ = ("posts", "next_after_post_id")
    POSTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_POST_ID_FIELD_NUMBER: _ClassVar[int]
    posts: _containers.RepeatedCompositeFieldContainer[Post]
    next_after_post_id: int
    def __init__(self, posts: _Optional[_Iterable[_Union[Post, _Mapping]]] = ..., next_after_post_id: _Optional[int] = ...) -> None: ...
