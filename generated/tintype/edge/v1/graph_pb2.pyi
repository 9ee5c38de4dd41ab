from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from tintype.edge.v1 import resources_pb2 as _resources_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FollowRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class FollowResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class UnfollowRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class UnfollowResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class RemoveFollowerRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class RemoveFollowerResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class ListFollowRequestsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFollowRequestsResponse(_message.Message):
    __slots__ = ("users", "next_page_token")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[_resources_pb2.User]
    next_page_token: str
    def __init__(self, users: _Optional[_Iterable[_Union[_resources_pb2.User, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AcceptFollowRequestRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class AcceptFollowRequestResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class DeclineFollowRequestRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class DeclineFollowRequestResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class BlockRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class BlockResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class UnblockRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class UnblockResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class ListBlocksRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBlocksResponse(_message.Message):
    __slots__ = ("users", "next_page_token")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[_resources_pb2.User]
    next_page_token: str
    def __init__(self, users: _Optional[_Iterable[_Union[_resources_pb2.User, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class MuteRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class MuteResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class UnmuteRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class UnmuteResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class ListMutesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMutesResponse(_message.Message):
    __slots__ = ("users", "next_page_token")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[_resources_pb2.User]
    next_page_token: str
    def __init__(self, users: _Optional[_Iterable[_Union[_resources_pb2.User, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AddCloseFriendRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class AddCloseFriendResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class RemoveCloseFriendRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class RemoveCloseFriendResponse(_message.Message):
    __slots__ = ("viewer",)
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    viewer: _resources_pb2.UserViewer
    def __init__(self, viewer: _Optional[_Union[_resources_pb2.UserViewer, _Mapping]] = ...) -> None: ...

class ListCloseFriendsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCloseFriendsResponse(_message.Message):
    __slots__ = ("users", "next_page_token")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[_resources_pb2.User]
    next_page_token: str
    def __init__(self, users: _Optional[_Iterable[_Union[_resources_pb2.User, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
