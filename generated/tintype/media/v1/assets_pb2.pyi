from buf.validate import validate_pb2 as _validate_pb2
from tintype.type.v1 import rule_pb2 as _rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssetState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASSET_STATE_UNSPECIFIED: _ClassVar[AssetState]
    ASSET_STATE_PROCESSING: _ClassVar[AssetState]
    ASSET_STATE_READY: _ClassVar[AssetState]
    ASSET_STATE_FAILED: _ClassVar[AssetState]
ASSET_STATE_UNSPECIFIED: AssetState
ASSET_STATE_PROCESSING: AssetState
ASSET_STATE_READY: AssetState
ASSET_STATE_FAILED: AssetState

class Variant(_message.Message):
    __slots__ = ("name", "format", "width", "height", "size_bytes", "object_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OBJECT_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    format: str
    width: int
    height: int
    size_bytes: int
    object_key: str
    def __init__(self, name: _Optional[str] = ..., format: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., size_bytes: _Optional[int] = ..., object_key: _Optional[str] = ...) -> None: ...

class Asset(_message.Message):
    __slots__ = ("asset_id", "owner_id", "state", "failure_reason", "failure_message", "width", "height", "blurhash", "alt_text", "variants", "create_time_ms", "filename", "size_bytes", "dominant_colour")
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    FAILURE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLURHASH_FIELD_NUMBER: _ClassVar[int]
    ALT_TEXT_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    DOMINANT_COLOUR_FIELD_NUMBER: _ClassVar[int]
    asset_id: int
    owner_id: int
    state: AssetState
    failure_reason: str
    failure_message: str
    width: int
    height: int
    blurhash: str
    alt_text: str
    variants: _containers.RepeatedCompositeFieldContainer[Variant]
    create_time_ms: int
    filename: str
    size_bytes: int
    dominant_colour: str
    def __init__(self, asset_id: _Optional[int] = ..., owner_id: _Optional[int] = ..., state: _Optional[_Union[AssetState, str]] = ..., failure_reason: _Optional[str] = ..., failure_message: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., blurhash: _Optional[str] = ..., alt_text: _Optional[str] = ..., variants: _Optional[_Iterable[_Union[Variant, _Mapping]]] = ..., create_time_ms: _Optional[int] = ..., filename: _Optional[str] = ..., size_bytes: _Optional[int] = ..., dominant_colour: _Optional[str] = ...) -> None: ...

class UploadRequest(_message.Message):
    __slots__ = ("request_id", "filename", "content_type", "chunk", "size_bytes")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    filename: str
    content_type: str
    chunk: bytes
    size_bytes: int
    def __init__(self, request_id: _Optional[str] = ..., filename: _Optional[str] = ..., content_type: _Optional[str] = ..., chunk: _Optional[bytes] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class UploadResponse(_message.Message):
    __slots__ = ("asset",)
    ASSET_FIELD_NUMBER: _ClassVar[int]
    asset: Asset
    def __init__(self, asset: _Optional[_Union[Asset, _Mapping]] = ...) -> None: ...

class BatchGetAssetsRequest(_message.Message):
    __slots__ = ("asset_ids",)
    ASSET_IDS_FIELD_NUMBER: _ClassVar[int]
    asset_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, asset_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class BatchGetAssetsResponse(_message.Message):
    __slots__ = ("assets",)
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    assets: _containers.RepeatedCompositeFieldContainer[Asset]
    def __init__(self, assets: _Optional[_Iterable[_Union[Asset, _Mapping]]] = ...) -> None: ...

class WatchAssetRequest(_message.Message):
    __slots__ = ("asset_id",)
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    asset_id: int
    def __init__(self, asset_id: _Optional[int] = ...) -> None: ...

class WatchAssetResponse(_message.Message):
    __slots__ = ("asset", "end_reason")
    ASSET_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    asset: Asset
    end_reason: str
    def __init__(self, asset: _Optional[_Union[Asset, _Mapping]] = ..., end_reason: _Optional[str] = ...) -> None: ...
