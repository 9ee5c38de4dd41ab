from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Access(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_UNSPECIFIED: _ClassVar[Access]
    ACCESS_PUBLIC: _ClassVar[Access]
    ACCESS_USER: _ClassVar[Access]
    ACCESS_OWNER: _ClassVar[Access]
    ACCESS_MODERATOR: _ClassVar[Access]
    ACCESS_MESH: _ClassVar[Access]

class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCOPE_UNSPECIFIED: _ClassVar[Scope]
    SCOPE_NONE: _ClassVar[Scope]
    SCOPE_READ: _ClassVar[Scope]
    SCOPE_WRITE: _ClassVar[Scope]
    SCOPE_ACCOUNT: _ClassVar[Scope]
    SCOPE_MESH: _ClassVar[Scope]

class RateClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RATE_CLASS_UNSPECIFIED: _ClassVar[RateClass]
    RATE_CLASS_READ: _ClassVar[RateClass]
    RATE_CLASS_WRITE: _ClassVar[RateClass]
    RATE_CLASS_AUTH: _ClassVar[RateClass]
    RATE_CLASS_UPLOAD: _ClassVar[RateClass]
    RATE_CLASS_SEARCH: _ClassVar[RateClass]
    RATE_CLASS_STREAM: _ClassVar[RateClass]
    RATE_CLASS_INTERNAL: _ClassVar[RateClass]

class Idempotency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDEMPOTENCY_UNSPECIFIED: _ClassVar[Idempotency]
    IDEMPOTENCY_SAFE: _ClassVar[Idempotency]
    IDEMPOTENCY_IDEMPOTENT: _ClassVar[Idempotency]
    IDEMPOTENCY_REQUEST_ID: _ClassVar[Idempotency]
    IDEMPOTENCY_NONE: _ClassVar[Idempotency]
ACCESS_UNSPECIFIED: Access
ACCESS_PUBLIC: Access
ACCESS_USER: Access
ACCESS_OWNER: Access
ACCESS_MODERATOR: Access
ACCESS_MESH: Access
SCOPE_UNSPECIFIED: Scope
SCOPE_NONE: Scope
SCOPE_READ: Scope
SCOPE_WRITE: Scope
SCOPE_ACCOUNT: Scope
SCOPE_MESH: Scope
RATE_CLASS_UNSPECIFIED: RateClass
RATE_CLASS_READ: RateClass
RATE_CLASS_WRITE: RateClass
RATE_CLASS_AUTH: RateClass
RATE_CLASS_UPLOAD: RateClass
RATE_CLASS_SEARCH: RateClass
RATE_CLASS_STREAM: RateClass
RATE_CLASS_INTERNAL: RateClass
IDEMPOTENCY_UNSPECIFIED: Idempotency
IDEMPOTENCY_SAFE: Idempotency
IDEMPOTENCY_IDEMPOTENT: Idempotency
IDEMPOTENCY_REQUEST_ID: Idempotency
IDEMPOTENCY_NONE: Idempotency
RULE_FIELD_NUMBER: _ClassVar[int]
rule: _descriptor.FieldDescriptor

class Rule(_message.Message):
    __slots__ = ("access", "scope", "rate_class", "idempotency", "timeout_ms", "renders")
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    RATE_CLASS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    RENDERS_FIELD_NUMBER: _ClassVar[int]
    access: Access
    scope: Scope
    rate_class: RateClass
    idempotency: Idempotency
    timeout_ms: int
    renders: str
    def __init__(self, access: _Optional[_Union[Access, str]] = ..., scope: _Optional[_Union[Scope, str]] = ..., rate_class: _Optional[_Union[RateClass, str]] = ..., idempotency: _Optional[_Union[Idempotency, str]] = ..., timeout_ms: _Optional[int] = ..., renders: _Optional[str] = ...) -> None: ...
