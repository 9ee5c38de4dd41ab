from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class RelationChanged(_message.Message):
    __slots__ = ("user_id", "target_id", "following", "requested", "blocking", "muting", "close_friend", "was_following", "was_blocking", "version")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWING_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    MUTING_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FRIEND_FIELD_NUMBER: _ClassVar[int]
    WAS_FOLLOWING_FIELD_NUMBER: _ClassVar[int]
    WAS_BLOCKING_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    target_id: int
    following: bool
    requested: bool
    blocking: bool
    muting: bool
    close_friend: bool
    was_following: bool
    was_blocking: bool
    version: int
    def __init__(self, user_id: _Optional[int] = ..., target_id: _Optional[int] = ..., following: bool = ..., requested: bool = ..., blocking: bool = ..., muting: bool = ..., close_friend: bool = ..., was_following: bool = ..., was_blocking: bool = ..., version: _Optional[int] = ...) -> None: ...
