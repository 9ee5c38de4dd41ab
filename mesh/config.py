"""Configuration: typed, layered, validated whole before anything starts.

Later layers win: defaults, then a TOML file, then environment variables (``TINTYPE_GRPC_ADDRESS``,
``TINTYPE_STORAGE__URL``: two underscores go one level down), then ``--set key=value`` flags. Every
default runs. Each module adds a section under its own name; a key nobody declared is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

_PREFIX = "TINTYPE_"
_SECRET_CHARS = 32
_URL_PASSWORD = re.compile(r"(\w+://[^/@\s]*:)[^/@\s]*@")
_OTHER_VARIABLES = frozenset({"CONFIG", "GATEWAY", "USER", "PASSWORD", "REQUIRE_ENGINES", "S3_SECRET", "PUBLIC_URL"})
"""Variables with our prefix that are not settings: of the command line, of tests, of docker-compose.yml."""


class ConfigError(Exception):
    """The configuration is wrong; the message names every bad key and what is expected there."""


class Section(BaseModel):
    """Base of every section: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Limit:
    """Beside a setting that clients meet, shown at `/v1/limits`: ``name: Annotated[int, Limit("bytes", "…")]``."""

    unit: str
    description: str


class StorageSection(Section):
    """Where facts are kept."""

    url: str = Field("", description="sqlite:///dir or cassandra://host,host:port/prefix; empty: sqlite in state_dir")


class RedisSection(Section):
    """Caches and the event bus."""

    url: str = Field("redis://127.0.0.1:6379/0", description="the Redis server")


class BlobSection(Section):
    """The S3 store that keeps image bytes."""

    endpoint: str = Field("127.0.0.1:8333", description="host:port of the S3 store")
    bucket: str = Field("tintype", min_length=3, max_length=63)
    access_key: str = "tintype"
    secret_key: SecretStr = SecretStr("tintype-development")
    region: str = "us-east-1"
    secure: bool = Field(False, description="speak TLS to the store")


class AuthSection(Section):
    """Access tokens and their keys."""

    keys_dir: Path | None = Field(None, description="folder of signing keys; empty: keys in state_dir")
    access_minutes: int = Field(15, ge=1, le=1440, description="life of an access token")
    refresh_days: int = Field(60, ge=1, le=365, description="life of a session that is not used")
    rotate_days: int = Field(30, ge=1, le=365, description="how long one key signs")


_ADDRESS = r"^\S+:\d{1,5}$"


class TelemetrySection(Section):
    """Logs, metrics and traces."""

    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_format: str = Field("json", pattern="^(json|console)$")
    otlp_endpoint: str = Field("", description="host:port of an OpenTelemetry collector (gRPC); empty: no traces")
    metrics_address: str = Field(
        "127.0.0.1:9464", pattern=f"^$|{_ADDRESS}", description="host:port of the Prometheus endpoint; empty: none"
    )


class EventsSection(Section):
    """The bus."""

    shards: int = Field(4, ge=1, le=64, description="streams per area; order holds per key; fixed once there is data")
    retention_hours: int = Field(72, ge=1, le=720, description="how long outboxes keep events")
    max_age_s: float = Field(
        60, gt=0, le=86_400, description="age of the oldest unhandled event, or of the bus's absence, that health tells"
    )


class Rate(Section):
    """A token bucket for each client address."""

    per_second: int = Field(ge=1, le=1_000_000, description="calls a second on average")
    burst: int = Field(ge=1, le=1_000_000, description="calls at once")


class RatesSection(Section):
    """Calls of each rate class that one client address may make; the gateway enforces it."""

    read: Rate = Rate(per_second=400, burst=4000)
    write: Rate = Rate(per_second=100, burst=1000)
    auth: Rate = Rate(per_second=5, burst=100)
    upload: Rate = Rate(per_second=10, burst=200)
    search: Rate = Rate(per_second=50, burst=500)
    stream: Rate = Rate(per_second=20, burst=200)

    @property
    def by_class(self) -> dict[str, Rate]:
        """Rates by the class's name in the protos (READ, WRITE, …)."""
        return {name.upper(): getattr(self, name) for name in type(self).model_fields}


class Settings(BaseSettings):
    """The whole configuration of one process; modules add their sections by :func:`load`."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_parse_none_str="none"
    )

    targets: tuple[str, ...] = Field(("all",), description="modules that this process runs")
    node: int = Field(0, ge=0, le=1023, description="differs between processes of one service: part of every id")
    development: bool = Field(True, description="server reflection, generated secrets")
    state_dir: Path = Field(Path(".state"), description="data and secrets of the embedded form")
    secret: SecretStr = Field(
        SecretStr(""), description="root of all derived keys, at least 32 characters; empty: made in state_dir"
    )
    grpc_address: str = Field("127.0.0.1:9090", pattern=_ADDRESS, description="host:port where this process serves")
    addresses: dict[str, str] = Field(default_factory=dict, description="area → host:port of areas served elsewhere")
    storage: StorageSection = StorageSection()
    redis: RedisSection = RedisSection()
    blobs: BlobSection = BlobSection()
    auth: AuthSection = AuthSection()
    telemetry: TelemetrySection = TelemetrySection()
    events: EventsSection = EventsSection()
    rates: RatesSection = RatesSection()

    @property
    def storage_url(self) -> str:
        """The store's URL, the embedded one where none is configured."""
        return self.storage.url or f"sqlite:///{self.state_dir.resolve()}/db"

    @property
    def keys_dir(self) -> Path:
        """The folder of signing keys."""
        return self.auth.keys_dir or self.state_dir / "keys"

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose (page tokens, media links, the mesh), from the one root secret."""
        return hmac.digest(self._root_secret(), purpose.encode(), hashlib.sha256)

    def _root_secret(self) -> bytes:
        given = self.secret.get_secret_value()
        if given and len(given) < _SECRET_CHARS:
            raise ConfigError(f"secret: must have at least {_SECRET_CHARS} characters; set by TINTYPE_SECRET")
        if given:
            return given.encode()
        if not self.development:
            raise ConfigError("secret: must be set (TINTYPE_SECRET) where development is false")
        return _made_secret(self.state_dir / "secret")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the TOML file (given under ``_toml``)."""
        toml = getattr(cls, "toml_values", {})
        return init_settings, env_settings, lambda: toml  # type: ignore[return-value]


def load(
    sections: Mapping[str, type[BaseModel]], toml: Path | None = None, flags: Mapping[str, str] | None = None
) -> Any:
    """Read and validate everything. ``flags`` maps dotted keys to text. Raises :class:`ConfigError`."""
    fields: dict[str, Any] = {name: (section, Field(default_factory=section)) for name, section in sections.items()}
    model = create_model("TintypeSettings", __base__=Settings, **fields)
    model.toml_values = _read_toml(toml)  # type: ignore[attr-defined]
    _require_known_variables(model)
    try:
        settings = model(**_nested(flags or {}))
    except ValidationError as error:
        raise ConfigError("\n".join(_complaint(model, problem) for problem in error.errors())) from None
    except SettingsError as error:  # an environment variable that should be JSON
        raise ConfigError(f"{error}: {error.__cause__}") from None
    settings.derived_key("configuration check")
    return settings


def _read_toml(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _nested(flags: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, text in flags.items():
        *parents, last = key.split(".")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{key}: {parent} is set as a value and as a section; keep one of the two")
        place[last] = tuple(text.split(",")) if key == "targets" else text
    return values


def _require_known_variables(model: type[Settings]) -> None:
    """A variable with our prefix that sets nothing is a typing error: say so."""
    known = {name.upper() for name in model.model_fields} | _OTHER_VARIABLES
    names = sorted(name for name in os.environ if name.upper().startswith(_PREFIX))
    unknown = [name for name in names if name.upper().removeprefix(_PREFIX).partition("__")[0] not in known]
    if unknown:
        raise ConfigError(
            "\n".join(f"{name}: no setting has this name; `tintype config` lists all" for name in unknown)
        )


def _complaint(model: type[Settings], problem: Any) -> str:
    path = [str(part) for part in problem["loc"]]
    key = ".".join(path)
    how = f"set by {_PREFIX}{'__'.join(path).upper()}, --set {key}=… or the TOML file"
    if problem["type"] == "extra_forbidden":
        return f"{key}: no setting has this name ({how}); `tintype config` lists all"
    given = "" if _is_secret(model, path) else f" (given: {masked(problem['input'])!r})"
    return f"{key}: {problem['msg']}{given}; {how}"


def _is_secret(model: type[BaseModel], path: Sequence[str]) -> bool:
    """Whether a key holds a secret, or a section that has one."""
    field = model.model_fields.get(path[0])
    kind = field.annotation if field else None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inner = [path[1:]] if path[1:] else [[name] for name in kind.model_fields]
        return any(_is_secret(kind, rest) for rest in inner)
    return kind is SecretStr


def masked(value: Any) -> Any:
    """A value as it may be shown: passwords in URLs are masked, in whatever holds them."""
    match value:
        case str():
            return _URL_PASSWORD.sub(r"\1**********@", value)
        case dict():
            return {key: masked(inner) for key, inner in value.items()}
        case list() | tuple():
            return [masked(inner) for inner in value]
    return value


def _made_secret(path: Path) -> bytes:
    """A random secret kept in a file only its owner can read; made once, whoever comes first.

    Written aside and linked into place, so that no other process ever reads an unfinished one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # only its owner can read it
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        os.unlink(aside)
    return path.read_bytes()
