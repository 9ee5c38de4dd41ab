from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Audience(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIENCE_UNSPECIFIED: _ClassVar[Audience]
    AUDIENCE_EVERYONE: _ClassVar[Audience]
    AUDIENCE_FOLLOWERS: _ClassVar[Audience]
    AUDIENCE_CLOSE_FRIENDS: _ClassVar[Audience]
    AUDIENCE_ONLY_ME: _ClassVar[Audience]

class Restriction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESTRICTION_UNSPECIFIED: _ClassVar[Restriction]
    RESTRICTION_REMOVED: _ClassVar[Restriction]
AUDIENCE_UNSPECIFIED: Audience
AUDIENCE_EVERYONE: Audience
AUDIENCE_FOLLOWERS: Audience
AUDIENCE_CLOSE_FRIENDS: Audience
AUDIENCE_ONLY_ME: Audience
RESTRICTION_UNSPECIFIED: Restriction
RESTRICTION_REMOVED: Restriction

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
