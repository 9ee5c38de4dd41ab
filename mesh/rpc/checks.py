"""The checks of the interceptor chain: request id, authentication, authorisation, validation."""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable
from typing import Any

import protovalidate
from tintype.type.v1 import rule_pb2

from mesh.auth.caller import Caller
from mesh.auth.tokens import TokenVerifier
from mesh.errors import Code, FieldViolation, Problem, denied, unauthenticated
from mesh.rpc.call import Call
from mesh.rpc.certain import certainly_valid
from mesh.rpc.chain import Check
from mesh.rpc.method import Method

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NEEDS_USER = {rule_pb2.ACCESS_USER, rule_pb2.ACCESS_OWNER, rule_pb2.ACCESS_MODERATOR}
_SCOPES = {rule_pb2.SCOPE_READ: "read", rule_pb2.SCOPE_WRITE: "write", rule_pb2.SCOPE_ACCOUNT: "account"}

SessionCheck = Callable[[Caller], Awaitable[None] | None]
"""Raises SESSION_REVOKED for a caller whose session has ended; may have to be awaited for that."""


def request_id(method: Method) -> Check:
    """Gives every call an id for logs and error details: its caller's, or one of its own."""

    def check(call: Call, request: Any) -> None:
        if call.request_id:
            return
        given = call.metadata.get("x-request-id", "")
        call.request_id = given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"

    return check


class Authentication:
    """Verifies the tokens that a call carries: the mesh peer's and the user's."""

    def __init__(self, users: TokenVerifier, peers: Callable[[str], str], session: SessionCheck | None = None) -> None:
        self._users = users
        self._peers = peers
        self._session = session

    def __call__(self, method: Method) -> Check:
        """The check for one method. A token that is there must hold, even where none is needed."""

        def check(call: Call, request: Any) -> Awaitable[None] | None:
            if not call.peer and (peer := call.metadata.get("x-tintype-mesh")):
                call.peer = self._peers(peer)
            if call.caller is None and (header := call.metadata.get("authorization")):
                call.caller = self._users.verify(_bearer(header))
                if self._session and not method.internal:
                    return self._session(call.caller)
            return None

        return check


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated("TOKEN_INVALID", "the authorization header must read: Bearer <access token>")
    return token.strip()


def authorisation(method: Method) -> Check | None:
    """Enforces the rule that the method's proto carries."""
    access = method.rule.access
    if access == rule_pb2.ACCESS_PUBLIC and not method.internal:
        return None
    scope = _SCOPES.get(method.rule.scope, "")

    def check(call: Call, request: Any) -> None:
        if method.internal and not call.peer:
            raise denied("MESH_ONLY", f"{method.path} is for services of the mesh: use tintype.edge.v1")
        if access not in _NEEDS_USER:
            return
        caller = call.user
        if scope not in caller.scopes:
            raise denied("SCOPE_MISSING", f"the token lacks the scope {scope}")
        if access == rule_pb2.ACCESS_MODERATOR and "moderator" not in caller.roles:
            raise denied("MODERATOR_ONLY", "only moderators may do this")

    return check


_validator = protovalidate.Validator()


def validation(method: Method) -> Check | None:
    """Enforces the rules (buf.validate) that the request's fields carry in the protos."""

    certain = certainly_valid(method.request_class.DESCRIPTOR)

    def check(call: Call, request: Any) -> None:
        if certain and certain(request):
            return
        violations = _validator.collect_violations(request)
        if violations:
            raise _invalid(violations)

    return check


def _invalid(violations: list[Any]) -> Problem:
    fields = [FieldViolation(_path(v.proto.field), v.proto.message) for v in violations[:20]]
    first = fields[0]
    message = f"{first.field}: {first.description}" if first.field else first.description
    return Problem(Code.INVALID_ARGUMENT, "INVALID_FIELD", message, fields)


def _path(field: Any) -> str:
    names = []
    for element in field.elements:
        index = element.subscript
        suffix = f"[{index.value}]" if index is not None and index.field == "index" else ""
        names.append(element.field_name + suffix)
    return ".".join(names)
