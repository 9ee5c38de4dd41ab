"""The gate before image bytes: Envoy asks here whether a link still holds, and what it names.

Envoy's ext_authz filter sends the request line and headers; the answer is the object's path in the
store, which Envoy then signs, fetches and streams itself. No image byte passes through Python.
"""

from __future__ import annotations

import json
from typing import Any

import grpc
from google.protobuf import json_format
from tintype.envoy.v1 import ext_authz_pb2 as authz
from tintype.media.v1 import assets_pb2

from edge.facts import Facts
from edge.links import EPOCH_MASK, Link, Links
from edge.mesh import Mesh
from edge.visibility import may_see_medium
from mesh import deadline
from mesh.errors import Problem, not_found
from mesh.rpc.status import to_status

CHECK = "/envoy.service.auth.v3.Authorization/Check"
_TIMEOUT_S = 2.0
_HTTP_STATUS = {"NOT_FOUND": 404, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504}
_CACHE_CONTROL = "private, max-age=3600"


class Gate(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Serves Envoy's Authorization.Check."""

    def __init__(self, mesh: Mesh, facts: Facts, links: Links, bucket: str) -> None:
        self._mesh = mesh
        self._facts = facts
        self._links = links
        self._bucket = bucket
        self._handler = grpc.unary_unary_rpc_method_handler(
            self._check, authz.CheckRequest.FromString, authz.CheckResponse.SerializeToString
        )

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self._handler if details.method == CHECK else None

    async def _check(self, request: Any, context: Any) -> Any:
        http = request.attributes.request.http
        try:
            with deadline.limit(_TIMEOUT_S):
                key = await self._object_key(http.path, http.headers.get("accept", ""))
        except Problem as problem:
            return _denied(problem)
        return _allowed(f"/{self._bucket}/{key}")

    async def _object_key(self, path: str, accept: str) -> str:
        """The store's key of what a path names. LINK_EXPIRED where the link does not hold (any more)."""
        link = self._parse(path)
        if link is None or not await self._holds(link):
            raise not_found("LINK_EXPIRED", "this link does not hold (any more): read the post or medium again")
        answer = await self._mesh.assets.BatchGetAssets(assets_pb2.BatchGetAssetsRequest(asset_ids=[link.asset_id]))
        sizes = [v for asset in answer.assets for v in asset.variants if v.name == link.name]
        wanted = "webp" if "image/webp" in accept else "jpeg"
        for variant in sorted(sizes, key=lambda variant: variant.format != wanted):
            return str(variant.object_key)
        raise not_found("MEDIA_NOT_FOUND", "the medium has no such variant")

    def _parse(self, path: str) -> Link | None:
        parts = path.partition("?")[0].split("/")
        return self._links.open(parts[2], parts[3]) if len(parts) == 4 else None

    async def _holds(self, link: Link) -> bool:
        """Whether the link's viewer may still see what it was made for: the one law's word on fresh facts."""
        owner = (await self._facts.people([link.owner_id])).get(link.owner_id)
        if owner is None:
            return False
        if link.viewer_id != link.owner_id and owner.user.media_epoch & EPOCH_MASK != link.epoch:
            return False
        post = await self._facts.known_post(link.post_id) if link.post_id else None
        if link.post_id and post is None:
            return link.viewer_id == link.owner_id
        viewer = await self._facts.viewer(link.viewer_id)
        return may_see_medium(viewer, owner.facts, post.subject if post else None)


def _allowed(path: str) -> Any:
    def header(key: str, value: str) -> authz.HeaderValueOption:
        action = authz.HeaderValueOption.APPEND_ACTION_OVERWRITE_OR_ADD
        return authz.HeaderValueOption(header=authz.HeaderValue(key=key, value=value), append_action=action)

    return authz.CheckResponse(
        allowed=authz.Allowed(
            headers=[header(":path", path)],
            headers_to_remove=["authorization", "cookie", "x-amz-security-token"],
            response_headers_to_add=[header("cache-control", _CACHE_CONTROL), header("vary", "accept")],
        )
    )


def _denied(problem: Problem) -> Any:
    status = to_status(problem)
    body = json.dumps(json_format.MessageToDict(status, preserving_proto_field_name=False))
    code = authz.Denied.HttpStatus(code=_HTTP_STATUS.get(problem.code.name, 500))
    headers = [
        authz.HeaderValueOption(header=authz.HeaderValue(key="content-type", value="application/json")),
        authz.HeaderValueOption(header=authz.HeaderValue(key="cache-control", value="no-store")),
    ]
    response = authz.CheckResponse(denied=authz.Denied(status=code, headers=headers, body=body))
    response.status.code = problem.code
    return response
