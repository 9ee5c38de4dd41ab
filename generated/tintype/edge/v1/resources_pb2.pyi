import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Audience(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIENCE_UNSPECIFIED: _ClassVar[Audience]
    EVERYONE: _ClassVar[Audience]
    FOLLOWERS: _ClassVar[Audience]
    CLOSE_FRIENDS: _ClassVar[Audience]
    ONLY_ME: _ClassVar[Audience]
AUDIENCE_UNSPECIFIED: Audience
EVERYONE: Audience
FOLLOWERS: Audience
CLOSE_FRIENDS: Audience
ONLY_ME: Audience

class UserCard(_message.Message):
    __slots__ = ("user_id", "username", "display_name", "avatar_url")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_URL_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    username: str
    display_name: str
    avatar_url: str
    def __init__(self, user_id: _Optional[str] = ..., username: _Optional[str] = ..., display_name: _Optional[str] = ..., avatar_url: _Optional[str] = ...) -> None: ...

class UserViewer(_message.Message):
    __slots__ = ("following", "followed_by", "blocking", "muting", "close_friend")
    class Following(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FOLLOWING_UNSPECIFIED: _ClassVar[UserViewer.Following]
        NONE: _ClassVar[UserViewer.Following]
        REQUESTED: _ClassVar[UserViewer.Following]
        FOLLOWING: _ClassVar[UserViewer.Following]
    FOLLOWING_UNSPECIFIED: UserViewer.Following
    NONE: UserViewer.Following
    REQUESTED: UserViewer.Following
    FOLLOWING: UserViewer.Following
    FOLLOWING_FIELD_NUMBER: _ClassVar[int]
    FOLLOWED_BY_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    MUTING_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FRIEND_FIELD_NUMBER: _ClassVar[int]
    following: UserViewer.Following
    followed_by: bool
    blocking: bool
    muting: bool
    close_friend: bool
    def __init__(self, following: _Optional[_Union[UserViewer.Following, str]] = ..., followed_by: bool = ..., blocking: bool = ..., muting: bool = ..., close_friend: bool = ...) -> None: ...

class User(_message.Message):
    __slots__ = ("user_id", "username", "display_name", "bio", "website", "private", "avatar_url", "post_count", "follower_count", "following_count", "viewer")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    BIO_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    AVATAR_URL_FIELD_NUMBER: _ClassVar[int]
    POST_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLLOWER_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLLOWING_COUNT_FIELD_NUMBER: _ClassVar[int]
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    username: str
    display_name: str
    bio: str
    website: str
    private: bool
    avatar_url: str
    post_count: int
    follower_count: int
    following_count: int
    viewer: UserViewer
    def __init__(self, user_id: _Optional[str] = ..., username: _Optional[str] = ..., display_name: _Optional[str] = ..., bio: _Optional[str] = ..., website: _Optional[str] = ..., private: bool = ..., avatar_url: _Optional[str] = ..., post_count: _Optional[int] = ..., follower_count: _Optional[int] = ..., following_count: _Optional[int] = ..., viewer: _Optional[_Union[UserViewer, _Mapping]] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("user_id", "username", "email", "display_name", "bio", "website", "private", "avatar_media_id", "create_time")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    BIO_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    AVATAR_MEDIA_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    username: str
    email: str
    display_name: str
    bio: str
    website: str
    private: bool
    avatar_media_id: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., username: _Optional[str] = ..., email: _Optional[str] = ..., display_name: _Optional[str] = ..., bio: _Optional[str] = ..., website: _Optional[str] = ..., private: bool = ..., avatar_media_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("session_id", "access_token", "refresh_token", "expire_time")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    access_token: str
    refresh_token: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, session_id: _Optional[str] = ..., access_token: _Optional[str] = ..., refresh_token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Variant(_message.Message):
    __slots__ = ("width", "height", "format", "url")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    width: int
    height: int
    format: str
    url: str
    def __init__(self, width: _Optional[int] = ..., height: _Optional[int] = ..., format: _Optional[str] = ..., url: _Optional[str] = ...) -> None: ...

class Media(_message.Message):
    __slots__ = ("media_id", "state", "failure", "width", "height", "blurhash", "alt_text", "variants")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Media.State]
        UPLOADING: _ClassVar[Media.State]
        PROCESSING: _ClassVar[Media.State]
        READY: _ClassVar[Media.State]
        FAILED: _ClassVar[Media.State]
    STATE_UNSPECIFIED: Media.State
    UPLOADING: Media.State
    PROCESSING: Media.State
    READY: Media.State
    FAILED: Media.State
    class Failure(_message.Message):
        __slots__ = ("reason", "message")
        REASON_FIELD_NUMBER: _ClassVar[int]
        MESSAGE_FIELD_NUMBER: _ClassVar[int]
        reason: str
        message: str
        def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
    MEDIA_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLURHASH_FIELD_NUMBER: _ClassVar[int]
    ALT_TEXT_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    media_id: str
    state: Media.State
    failure: Media.Failure
    width: int
    height: int
    blurhash: str
    alt_text: str
    variants: _containers.RepeatedCompositeFieldContainer[Variant]
    def __init__(self, media_id: _Optional[str] = ..., state: _Optional[_Union[Media.State, str]] = ..., failure: _Optional[_Union[Media.Failure, _Mapping]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., blurhash: _Optional[str] = ..., alt_text: _Optional[str] = ..., variants: _Optional[_Iterable[_Union[Variant, _Mapping]]] = ...) -> None: ...

class Place(_message.Message):
    __slots__ = ("place_id", "name", "latitude", "longitude")
    PLACE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    place_id: str
    name: str
    latitude: float
    longitude: float
    def __init__(self, place_id: _Optional[str] = ..., name: _Optional[str] = ..., latitude: _Optional[float] = ..., longitude: _Optional[float] = ...) -> None: ...

class PostViewer(_message.Message):
    __slots__ = ("liked", "saved")
    LIKED_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    liked: bool
    saved: bool
    def __init__(self, liked: bool = ..., saved: bool = ...) -> None: ...

class Post(_message.Message):
    __slots__ = ("post_id", "author", "media", "caption", "place", "audience", "create_time", "like_count", "comment_count", "viewer", "comments_disabled", "archived", "left_out")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LIKE_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    COMMENTS_DISABLED_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    post_id: str
    author: UserCard
    media: _containers.RepeatedCompositeFieldContainer[Media]
    caption: str
    place: Place
    audience: Audience
    create_time: _timestamp_pb2.Timestamp
    like_count: int
    comment_count: int
    viewer: PostViewer
    comments_disabled: bool
    archived: bool
    left_out: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, post_id: _Optional[str] = ..., author: _Optional[_Union[UserCard, _Mapping]] = ..., media: _Optional[_Iterable[_Union[Media, _Mapping]]] = ..., caption: _Optional[str] = ..., place: _Optional[_Union[Place, _Mapping]] = ..., audience: _Optional[_Union[Audience, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., like_count: _Optional[int] = ..., comment_count: _Optional[int] = ..., viewer: _Optional[_Union[PostViewer, _Mapping]] = ..., comments_disabled: bool = ..., archived: bool = ..., left_out: _Optional[_Iterable[str]] = ...) -> None: ...

class Comment(_message.Message):
    __slots__ = ("comment_id", "post_id", "author", "parent_comment_id", "text", "create_time", "edit_time", "reply_count")
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    PARENT_COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EDIT_TIME_FIELD_NUMBER: _ClassVar[int]
    REPLY_COUNT_FIELD_NUMBER: _ClassVar[int]
    comment_id: str
    post_id: str
    author: UserCard
    parent_comment_id: str
    text: str
    create_time: _timestamp_pb2.Timestamp
    edit_time: _timestamp_pb2.Timestamp
    reply_count: int
    def __init__(self, comment_id: _Optional[str] = ..., post_id: _Optional[str] = ..., author: _Optional[_Union[UserCard, _Mapping]] = ..., parent_comment_id: _Optional[str] = ..., text: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., edit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reply_count: _Optional[int] = ...) -> None: ...
