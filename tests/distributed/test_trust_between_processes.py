"""Who may call an inner service: peers that know the secret, and users whose token each service verifies itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from tintype.accounts.v1 import accounts_pb2
from tintype.accounts.v1.accounts_pb2_grpc import AccountsServiceStub
from tintype.edge.v1 import uploads_pb2
from tintype.edge.v1.uploads_pb2_grpc import UploadServiceStub
from tintype.graph.v1 import graph_pb2
from tintype.graph.v1.graph_pb2_grpc import GraphServiceStub

from mesh.errors import Code, Problem
from tests.distributed.inner_mesh import mesh_metadata, peer
from tests.distributed.installed import Installed
from tests.mesh.grpc_doors import grpc_refusal
from tests.mesh.mesh_client import Rest

STRANGER = "0" * 64


async def test_an_inner_call_without_a_mesh_token_is_refused(installation: Installed) -> None:
    async with grpc.aio.insecure_channel(installation.address("accounts")) as channel:
        call = AccountsServiceStub(channel).BatchGetUsers(accounts_pb2.BatchGetUsersRequest(user_ids=[1]), timeout=5)
        assert await grpc_refusal(call) == (grpc.StatusCode.PERMISSION_DENIED, "MESH_ONLY")


async def test_a_user_s_token_alone_opens_no_inner_service(installation: Installed, rest: Rest) -> None:
    ana = await rest.register("ana")
    async with grpc.aio.insecure_channel(installation.address("graph")) as channel:
        follow = GraphServiceStub(channel).Follow(graph_pb2.FollowRequest(user_id=1), timeout=5, metadata=ana.metadata)
        assert await grpc_refusal(follow) == (grpc.StatusCode.PERMISSION_DENIED, "MESH_ONLY")


async def test_a_peer_with_another_secret_is_refused(installation: Installed) -> None:
    async with grpc.aio.insecure_channel(installation.address("accounts")) as channel:
        request = accounts_pb2.BatchGetUsersRequest(user_ids=[1])
        metadata = mesh_metadata(installation, STRANGER)
        call = AccountsServiceStub(channel).BatchGetUsers(request, timeout=5, metadata=metadata)
        assert await grpc_refusal(call) == (grpc.StatusCode.PERMISSION_DENIED, "MESH_ONLY")


async def test_a_peer_that_is_refused_does_not_blame_its_user(installation: Installed) -> None:
    async with peer(installation, STRANGER) as channels:
        with pytest.raises(Problem) as refusal:
            await channels.stub(AccountsServiceStub).BatchGetUsers(accounts_pb2.BatchGetUsersRequest(user_ids=[1]))
    assert (refusal.value.code, refusal.value.reason) == (Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    assert "secret" in refusal.value.message


async def test_each_service_verifies_the_user_s_token_itself(installation: Installed, rest: Rest) -> None:
    ana, ben = await rest.register("ana"), await rest.register("ben")
    header, claims, signature = ana.token.split(".")
    forged = f"{header}.{claims}.{signature[::-1]}"
    request = graph_pb2.FollowRequest(user_id=int(ben.user_id))
    async with grpc.aio.insecure_channel(installation.address("graph")) as channel:
        stub, mesh = GraphServiceStub(channel), mesh_metadata(installation)
        for token in (forged, "nonsense"):
            call = stub.Follow(request, timeout=5, metadata=(*mesh, ("authorization", f"Bearer {token}")))
            assert await grpc_refusal(call) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
        nobody = stub.Follow(request, timeout=5, metadata=mesh)
        assert await grpc_refusal(nobody) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")
        await stub.Follow(request, timeout=5, metadata=(*mesh, *ana.metadata))
    assert (await rest.ok("GET", f"/v1/users/{ben.at}", ana))["user"]["viewer"]["following"] == "FOLLOWING"


async def test_what_is_wrong_with_a_stream_s_message_is_told_across_processes(
    installation: Installed, rest: Rest, channel: grpc.aio.Channel
) -> None:
    """The edge refuses a message while it passes the stream on to media."""
    ana = await rest.register("ana")

    async def messages() -> AsyncIterator[Any]:
        yield uploads_pb2.UploadRequest(request_id="no uuid", filename="p.jpg")

    call = UploadServiceStub(channel).Upload(messages(), timeout=10, metadata=ana.metadata)
    assert await grpc_refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_an_upload_that_media_refuses_is_refused_by_the_edge(installation: Installed, rest: Rest) -> None:
    ana = await rest.register("ana")
    refused = await rest.refused(
        "POST", "/v1/media:upload", ana, content=b"no picture at all", headers={"content-type": "image/jpeg"}
    )
    assert refused == (400, "NOT_AN_IMAGE")
