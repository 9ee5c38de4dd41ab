from buf.validate import validate_pb2 as _validate_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Relation(_message.Message):
    __slots__ = ("user_id", "following", "requested", "blocking", "muting", "close_friend", "followed_by", "requested_by", "blocked_by", "close_friend_of")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWING_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    MUTING_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FRIEND_FIELD_NUMBER: _ClassVar[int]
    FOLLOWED_BY_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_BY_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FRIEND_OF_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    following: bool
    requested: bool
    blocking: bool
    muting: bool
    close_friend: bool
    followed_by: bool
    requested_by: bool
    blocked_by: bool
    close_friend_of: bool
    def __init__(self, user_id: _Optional[int] = ..., following: bool = ..., requested: bool = ..., blocking: bool = ..., muting: bool = ..., close_friend: bool = ..., followed_by: bool = ..., requested_by: bool = ..., blocked_by: bool = ..., close_friend_of: bool = ...) -> None: ...

class FollowRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    def __init__(self, user_id: _Optional[int] = ...) -> None: ...

class FollowResponse(_message.Message):
    __slots__ = ("relation",)
    RELATION_FIELD_NUMBER: _ClassVar[int]
    relation: Relation
    def __init__(self, relation: _Optional[_Union[Relation, _Mapping]] = ...) -> None: ...

class UnfollowRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    def __init__(self, user_id: _Optional[int] = ...) -> None: ...

class UnfollowResponse(_message.Message):
    __slots__ = ("relation",)
    RELATION_FIELD_NUMBER: _ClassVar[int]
    relation: Relation
    def __init__(self, relation: _Optional[_Union[Relation, _Mapping]] = ...) -> None: ...

class RemoveFollowerRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    def __init__(self, user_id: _Optional[int] = ...) -> None: ...

class RemoveFollowerResponse(_message.Message):
    __slots__ = ("relation",)
    RELATION_FIELD_NUMBER: _ClassVar[int]
    relation: Relation
    def __init__(self, relation: _Optional[_Union[Relation, _Mapping]] = ...) -> None: ...

class AnswerFollowRequestRequest(_message.Message):
    __slots__ = ("user_id", "accept")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    accept: bool
    def __init__(self, user_id: _Optional[int] = ..., accept: bool = ...) -> None: ...

class AnswerFollowRequestResponse(_message.Message):
    __slots__ = ("relation",)
    RELATION_FIELD_NUMBER: _ClassVar[int]
    relation: Relation
    def __init__(self, relation: _Optional[_Union[Relation, _Mapping]] = ...) -> None: ...

class ListFollowRequestsRequest(_message.Message):
    __slots__ = ("page_size", "cursor")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    cursor: bytes
    def __init__(self, page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListFollowRequestsResponse(_message.Message):
    __slots__ = ("user_ids", "next_cursor")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class BlockRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    def __init__(self, user_id: _Optional[int] = ...) -> None: ...

class BlockResponse(_message.Message):
    __slots__ = ("relation",)
    RELATION_FIELD_NUMBER: _ClassVar[int]
    relation: Relation
    def __init__(self, relation: _Optional[_Union[Relation, _Mapping]] = ...) -> None: ...

class UnblockRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    def __init__(self, user_id: _Optional[int] = ...) -> None: ...

class UnblockResponse(_message.Message):
    __slots__ = ("relation",)
    RELATION_FIELD_NUMBER: _ClassVar[int]
    relation: Relation
    def __init__(self, relation: _Optional[_Union[Relation, _Mapping]] = ...) -> None: ...

class ListBlocksRequest(_message.Message):
    __slots__ = ("page_size", "cursor")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    cursor: bytes
    def __init__(self, page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListBlocksResponse(_message.Message):
    __slots__ = ("user_ids", "next_cursor")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class SetMuteRequest(_message.Message):
    __slots__ = ("user_id", "muting")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MUTING_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    muting: bool
    def __init__(self, user_id: _Optional[int] = ..., muting: bool = ...) -> None: ...

class SetMuteResponse(_message.Message):
    __slots__ = ("relation",)
    RELATION_FIELD_NUMBER: _ClassVar[int]
    relation: Relation
    def __init__(self, relation: _Optional[_Union[Relation, _Mapping]] = ...) -> None: ...

class SetCloseFriendRequest(_message.Message):
    __slots__ = ("user_id", "close_friend")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FRIEND_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    close_friend: bool
    def __init__(self, user_id: _Optional[int] = ..., close_friend: bool = ...) -> None: ...

class SetCloseFriendResponse(_message.Message):
    __slots__ = ("relation",)
    RELATION_FIELD_NUMBER: _ClassVar[int]
    relation: Relation
    def __init__(self, relation: _Optional[_Union[Relation, _Mapping]] = ...) -> None: ...

class ListMutesRequest(_message.Message):
    __slots__ = ("page_size", "cursor")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    cursor: bytes
    def __init__(self, page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListMutesResponse(_message.Message):
    __slots__ = ("user_ids", "next_cursor")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class ListCloseFriendsRequest(_message.Message):
    __slots__ = ("page_size", "cursor")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    cursor: bytes
    def __init__(self, page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListCloseFriendsResponse(_message.Message):
    __slots__ = ("user_ids", "next_cursor")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class ListFollowersRequest(_message.Message):
    __slots__ = ("user_id", "page_size", "cursor")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    page_size: int
    cursor: bytes
    def __init__(self, user_id: _Optional[int] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListFollowersResponse(_message.Message):
    __slots__ = ("user_ids", "next_cursor")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class ListFollowingRequest(_message.Message):
    __slots__ = ("user_id", "page_size", "cursor")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    page_size: int
    cursor: bytes
    def __init__(self, user_id: _Optional[int] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListFollowingResponse(_message.Message):
    __slots__ = ("user_ids", "next_cursor")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    next_cursor: bytes
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class BatchGetRelationsRequest(_message.Message):
    __slots__ = ("user_ids",)
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetRelationsResponse(_message.Message):
    __slots__ = ("relations",)
    RELATIONS_FIELD_NUMBER: _ClassVar[int]
    relations: _containers.RepeatedCompositeFieldContainer[Relation]
    def __init__(self, relations: _Optional[_Iterable[_Union[Relation, _Mapping]]] = ...) -> None: ...

class GetCircleRequest(_message.Message):
    __slots__ = ("user_id", "known_version")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    KNOWN_VERSION_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    known_version: int
    def __init__(self, user_id: _Optional[int] = ..., known_version: _Optional[int] = ...) -> None: ...

class GetCircleResponse(_message.Message):
    __slots__ = ("version", "unchanged", "following", "requested", "blocking", "muting", "close_friends", "blocked_by", "close_friend_of")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    FOLLOWING_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    MUTING_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FRIENDS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_BY_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FRIEND_OF_FIELD_NUMBER: _ClassVar[int]
    version: int
    unchanged: bool
    following: bytes
    requested: bytes
    blocking: bytes
    muting: bytes
    close_friends: bytes
    blocked_by: bytes
    close_friend_of: bytes
    def __init__(self, version: _Optional[int] = ..., unchanged: bool = ..., following: _Optional[bytes] = ..., requested: _Optional[bytes] = ..., blocking: _Optional[bytes] = ..., muting: _Optional[bytes] = ..., close_friends: _Optional[bytes] = ..., blocked_by: _Optional[bytes] = ..., close_friend_of: _Optional[bytes] = ...) -> None: ...

class Counts(_message.Message):
    __slots__ = ("user_id", "follower_count", "following_count")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWER_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLLOWING_COUNT_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    follower_count: int
    following_count: int
    def __init__(self, user_id: _Optional[int] = ..., follower_count: _Optional[int] = ..., following_count: _Optional[int] = ...) -> None: ...

class BatchGetCountsRequest(_message.Message):
    __slots__ = ("user_ids",)
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetCountsResponse(_message.Message):
    __slots__ = ("counts",)
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[Counts]
    def __init__(self, counts: _Optional[_Iterable[_Union[Counts, _Mapping]]] = ...) -> None: ...

class ScanFollowersRequest(_message.Message):
    __slots__ = ("author_id", "shard", "after_user_id", "limit")
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    AFTER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    author_id: int
    shard: int
    after_user_id: int
    limit: int
    def __init__(self, author_id: _Optional[int] = ..., shard: _Optional[int] = ..., after_user_id: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ScanFollowersResponse(_message.Message):
    __slots__ = ("packed_user_ids", "next_after_user_id", "shard_count")
    PACKED_USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    SHARD_COUNT_FIELD_NUMBER: _ClassVar[int]
    packed_user_ids: bytes
    next_after_user_id: int
    shard_count: int
    def __init__(self, packed_user_ids: _Optional[bytes] = ..., next_after_user_id: _Optional[int] = ..., shard_count: _Optional[int] = ...) -> None: ...
