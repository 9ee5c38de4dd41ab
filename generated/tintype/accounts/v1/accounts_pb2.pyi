from buf.validate import validate_pb2 as _validate_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class User(_message.Message):
    __slots__ = ("user_id", "username", "display_name", "bio", "website", "private", "hidden", "avatar_asset_id", "media_epoch", "version", "create_time_ms")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    BIO_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    AVATAR_ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    MEDIA_EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    username: str
    display_name: str
    bio: str
    website: str
    private: bool
    hidden: bool
    avatar_asset_id: int
    media_epoch: int
    version: int
    create_time_ms: int
    def __init__(self, user_id: _Optional[int] = ..., username: _Optional[str] = ..., display_name: _Optional[str] = ..., bio: _Optional[str] = ..., website: _Optional[str] = ..., private: bool = ..., hidden: bool = ..., avatar_asset_id: _Optional[int] = ..., media_epoch: _Optional[int] = ..., version: _Optional[int] = ..., create_time_ms: _Optional[int] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("user", "email")
    USER_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    user: User
    email: str
    def __init__(self, user: _Optional[_Union[User, _Mapping]] = ..., email: _Optional[str] = ...) -> None: ...

class SessionTokens(_message.Message):
    __slots__ = ("session_id", "access_token", "refresh_token", "expire_time_ms")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    access_token: str
    refresh_token: str
    expire_time_ms: int
    def __init__(self, session_id: _Optional[int] = ..., access_token: _Optional[str] = ..., refresh_token: _Optional[str] = ..., expire_time_ms: _Optional[int] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("session_id", "client", "create_time_ms", "refresh_time_ms", "current")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    client: str
    create_time_ms: int
    refresh_time_ms: int
    current: bool
    def __init__(self, session_id: _Optional[int] = ..., client: _Optional[str] = ..., create_time_ms: _Optional[int] = ..., refresh_time_ms: _Optional[int] = ..., current: bool = ...) -> None: ...

class RegisterRequest(_message.Message):
    __slots__ = ("request_id", "username", "email", "password", "display_name", "client")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    username: str
    email: str
    password: str
    display_name: str
    client: str
    def __init__(self, request_id: _Optional[str] = ..., username: _Optional[str] = ..., email: _Optional[str] = ..., password: _Optional[str] = ..., display_name: _Optional[str] = ..., client: _Optional[str] = ...) -> None: ...

class RegisterResponse(_message.Message):
    __slots__ = ("account", "session")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    account: Account
    session: SessionTokens
    def __init__(self, account: _Optional[_Union[Account, _Mapping]] = ..., session: _Optional[_Union[SessionTokens, _Mapping]] = ...) -> None: ...

class LogInRequest(_message.Message):
    __slots__ = ("identifier", "password", "client")
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    identifier: str
    password: str
    client: str
    def __init__(self, identifier: _Optional[str] = ..., password: _Optional[str] = ..., client: _Optional[str] = ...) -> None: ...

class LogInResponse(_message.Message):
    __slots__ = ("account", "session")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    account: Account
    session: SessionTokens
    def __init__(self, account: _Optional[_Union[Account, _Mapping]] = ..., session: _Optional[_Union[SessionTokens, _Mapping]] = ...) -> None: ...

class RefreshSessionRequest(_message.Message):
    __slots__ = ("refresh_token",)
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    refresh_token: str
    def __init__(self, refresh_token: _Optional[str] = ...) -> None: ...

class RefreshSessionResponse(_message.Message):
    __slots__ = ("account", "session")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    account: Account
    session: SessionTokens
    def __init__(self, account: _Optional[_Union[Account, _Mapping]] = ..., session: _Optional[_Union[SessionTokens, _Mapping]] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    def __init__(self, sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ...) -> None: ...

class RevokeSessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    def __init__(self, session_id: _Optional[int] = ...) -> None: ...

class RevokeSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetAccountRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetAccountResponse(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: Account
    def __init__(self, account: _Optional[_Union[Account, _Mapping]] = ...) -> None: ...

class UpdateAccountRequest(_message.Message):
    __slots__ = ("account", "paths")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    account: Account
    paths: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, account: _Optional[_Union[Account, _Mapping]] = ..., paths: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateAccountResponse(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: Account
    def __init__(self, account: _Optional[_Union[Account, _Mapping]] = ...) -> None: ...

class SetHiddenRequest(_message.Message):
    __slots__ = ("user_id", "hidden")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    hidden: bool
    def __init__(self, user_id: _Optional[int] = ..., hidden: bool = ...) -> None: ...

class SetHiddenResponse(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: User
    def __init__(self, user: _Optional[_Union[User, _Mapping]] = ...) -> None: ...

class BatchGetUsersRequest(_message.Message):
    __slots__ = ("user_ids",)
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetUsersResponse(_message.Message):
    __slots__ = ("users",)
    USERS_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[User]
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping]]] = ...) -> None: ...

class ResolveUsernamesRequest(_message.Message):
    __slots__ = ("usernames",)
    USERNAMES_FIELD_NUMBER: _ClassVar[int]
    usernames: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, usernames: _Optional[_Iterable[str]] = ...) -> None: ...

class ResolveUsernamesResponse(_message.Message):
    __slots__ = ("user_ids",)
    class UserIdsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.ScalarMap[str, int]
    def __init__(self, user_ids: _Optional[_Mapping[str, int]] = ...) -> None: ...

class CheckSessionsRequest(_message.Message):
    __slots__ = ("session_ids",)
    SESSION_IDS_FIELD_NUMBER: _ClassVar[int]
    session_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, session_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class CheckSessionsResponse(_message.Message):
    __slots__ = ("revoked_session_ids",)
    REVOKED_SESSION_IDS_FIELD_NUMBER: _ClassVar[int]
    revoked_session_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, revoked_session_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class ListUsersRequest(_message.Message):
    __slots__ = ("page_size", "after_user_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    AFTER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    after_user_id: int
    def __init__(self, page_size: _Optional[int] = ..., after_user_id: _Optional[int] = ...) -> None: ...

class ListUsersResponse(_message.Message):
    __slots__ = ("users", "next_after_user_id")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[User]
    next_after_user_id: int
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping]]] = ..., next_after_user_id: _Optional[int] = ...) -> None: ...
