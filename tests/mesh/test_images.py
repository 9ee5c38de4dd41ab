"""Image bytes: from the store through the gateway, for as long as the link's viewer may see them."""

from __future__ import annotations

import asyncio
import io
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from edge.links import Links
from mesh.clock import FakeClock
from tests.mesh.mesh_client import Person, Rest, error_of, eventually, image_url
from tests.mesh.raw_http import raw

BROWSER = {"accept": "image/avif,image/webp,image/*,*/*;q=0.8"}
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def pictures() -> dict[str, Any]:
    """A post of a public author, made once."""
    return {}


@pytest.fixture
async def post(rest: Rest, pictures: dict[str, Any]) -> Any:
    if not pictures:
        author = await rest.register("eve")
        pictures["post"] = await rest.publish(author)
    return pictures["post"]


@pytest.fixture
def url(post: Any) -> str:
    return image_url(post)


@pytest.fixture
def remade(installation: Any, url: str) -> Callable[..., str]:
    """Makes the link again with the installation's own key, at another time or for something else."""
    key = installation.settings.derived_key("media links")
    now_ms = time.time_ns() // 1_000_000
    _, token, name = url.rsplit("/", 2)
    link = Links(key, FakeClock(now_ms), installation.url).open(token, name)
    assert link is not None

    def make(age_ms: int = 0, **changes: Any) -> str:
        return Links(key, FakeClock(now_ms - age_ms), installation.url).url(replace(link, **changes))

    return make


async def test_a_browser_that_takes_webp_gets_webp(rest: Rest, url: str) -> None:
    answer = await rest.ask("GET", url, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(answer.content)).format == "WEBP"
    assert "accept" in answer.headers["vary"].lower()


@pytest.mark.parametrize("accept", ["*/*", "image/jpeg", "image/png,image/*;q=0.5"])
async def test_everybody_else_gets_jpeg(rest: Rest, url: str, accept: str) -> None:
    answer = await rest.ask("GET", url, headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"


async def test_every_variant_has_the_size_that_it_says(rest: Rest, post: Any) -> None:
    for variant in post["media"][0]["variants"]:
        answer = await rest.ask("GET", variant["url"])
        assert Image.open(io.BytesIO(answer.content)).size == (variant["width"], variant["height"])


async def test_ranges_head_and_conditional_requests_are_the_stores(rest: Rest, url: str) -> None:
    whole = await rest.ask("GET", url)
    part = await rest.ask("GET", url, headers={"range": "bytes=10-99"})
    assert (part.status_code, part.content) == (206, whole.content[10:100])
    assert part.headers["content-range"] == f"bytes 10-99/{len(whole.content)}"
    head = await rest.ask("HEAD", url)
    assert (head.status_code, head.content, int(head.headers["content-length"])) == (200, b"", len(whole.content))
    same = await rest.ask("GET", url, headers={"if-none-match": whole.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    other = await rest.ask("GET", url, headers={"if-none-match": '"other"'})
    assert other.status_code == 200


async def test_the_answer_says_nothing_of_the_store(rest: Rest, url: str) -> None:
    for answer in (
        await rest.ask("GET", url),
        await rest.ask("HEAD", url),
        await rest.ask("GET", url, headers=BROWSER),
    ):
        leaked = [name for name in answer.headers if re.match(r"x-amz-|seaweed|x-seaweed|x-minio|x-envoy|grpc-", name)]
        assert leaked == []
        assert answer.headers["server"] == "tintype"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"].startswith("private")


async def test_browsers_on_other_origins_may_read_images(rest: Rest, url: str) -> None:
    answer = await rest.ask("GET", url, headers={"origin": "https://app.example.com"})
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"


async def gone(rest: Rest, url: str) -> bool:
    """Whether a link answers as one that does not hold, in JSON and not to be cached."""
    answer = await rest.ask("GET", url)
    if answer.status_code != 404:
        return False
    assert error_of(answer)["reason"] == "LINK_EXPIRED"
    assert answer.headers["cache-control"] == "no-store"
    return True


async def test_a_link_that_was_forged_or_is_for_another_file_is_404(rest: Rest, url: str) -> None:
    base, token, name = url.rsplit("/", 2)
    for changed in (
        f"{base}/{token}/1080" if name != "1080" else f"{base}/{token}/640",
        f"{base}/{token}/{name}.jpg",
        f"{base}/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}/{name}",
        f"{base}/{'A' * len(token)}/{name}",
        f"{base}/garbage/{name}",
        f"{base}/{token}/{name}/more",
        f"{base}/{token}",
    ):
        assert await gone(rest, changed), changed


async def test_an_expired_link_is_404(rest: Rest, remade: Callable[..., str]) -> None:
    assert (await rest.ask("GET", remade())).status_code == 200
    assert await gone(rest, remade(age_ms=3 * HOUR_MS))


async def test_a_link_holds_for_its_own_epoch_owner_post_and_asset_only(rest: Rest, remade: Callable[..., str]) -> None:
    for changes in ({"epoch": 99}, {"owner_id": 5}, {"post_id": 5}, {"asset_id": 5}):
        answer = await rest.ask("GET", remade(**changes))
        assert error_of(answer)["http"] == 404, changes


@pytest.mark.parametrize("path", ["/m/../tintype/x", "/m/x/../../v1", "/m//x", "/m/x/..", "/m/./x/y", "/m/"])
async def test_no_path_leads_to_another_object(installation: Any, path: str) -> None:
    answer = await raw(installation.options.listen, f"GET {path} HTTP/1.1\nhost: x")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")


@pytest.mark.parametrize("path", ["/m/x%2f..%2fy/640", "/m/%2e%2e%2ftintype", "/m/x%5c..%5cy/640"])
async def test_escaped_slashes_are_refused(installation: Any, path: str) -> None:
    answer = await raw(installation.options.listen, f"GET {path} HTTP/1.1\nhost: x")
    assert answer.status == 400
    assert answer.json()["details"][0]["reason"] == "INVALID_REQUEST"


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nobody_writes_to_the_store_through_a_link(rest: Rest, url: str, verb: str) -> None:
    before = (await rest.ask("GET", url)).content
    assert await rest.refused(verb, url, content=b"other bytes") == (404, "METHOD_NOT_FOUND")
    assert (await rest.ask("GET", url)).content == before


async def test_a_link_takes_no_instructions_for_the_store(rest: Rest, url: str) -> None:
    before = (await rest.ask("GET", url)).content
    for query in ("?acl", "?versions", "?uploads", "?response-content-type=text/html", "?X-Amz-Signature=x"):
        answer = await rest.ask("GET", url + query)
        assert (answer.status_code, answer.content) == (200, before)
        assert answer.headers["content-type"] == "image/jpeg"


# A link dies with the right to see what it names


async def test_going_private_kills_the_links_that_everybody_had(rest: Rest) -> None:
    author = await rest.register("eve")
    url = image_url(await rest.publish(author))
    assert (await rest.ask("GET", url)).status_code == 200
    await rest.go_private(author)
    await eventually(lambda: gone(rest, url))
    await rest.go_private(author, False)
    assert await gone(rest, url), "an old link came back"


Ending = Callable[[Rest, Person, Person, str], Awaitable[Any]]


async def _removed(rest: Rest, author: Person, reader: Person, post_id: str) -> Any:
    return await rest.ok("DELETE", f"/v1/me/followers/{reader.at}", author)


async def _unfollowed(rest: Rest, author: Person, reader: Person, post_id: str) -> Any:
    return await rest.ok("DELETE", f"/v1/me/following/{author.at}", reader)


async def _blocked(rest: Rest, author: Person, reader: Person, post_id: str) -> Any:
    return await rest.ok("PUT", f"/v1/me/blocks/{reader.at}", author)


async def _deleted(rest: Rest, author: Person, reader: Person, post_id: str) -> Any:
    return await rest.ok("DELETE", f"/v1/posts/{post_id}", author)


async def _archived(rest: Rest, author: Person, reader: Person, post_id: str) -> Any:
    return await rest.ok("POST", f"/v1/posts/{post_id}:archive", author)


async def _narrowed(rest: Rest, author: Person, reader: Person, post_id: str) -> Any:
    return await rest.ok("PATCH", f"/v1/posts/{post_id}", author, json={"audience": "ONLY_ME"})


async def test_a_followers_link_to_a_private_photo_dies_with_the_right_to_see_it(rest: Rest) -> None:
    async def lose(end: Ending) -> None:
        author, reader = await rest.register("eve"), await rest.register("fay")
        await rest.follow(reader, author)
        await rest.go_private(author)
        post_id = (await rest.publish(author))["postId"]
        url = image_url((await rest.ok("GET", f"/v1/posts/{post_id}", reader))["post"])
        own = image_url((await rest.ok("GET", f"/v1/posts/{post_id}", author))["post"])
        assert (await rest.ask("GET", url)).status_code == 200
        await end(rest, author, reader, post_id)
        await eventually(lambda: gone(rest, url))
        assert (await rest.ask("GET", own)).status_code == 200, f"{end.__name__}: the author's own link died too"

    await asyncio.gather(*(lose(end) for end in (_removed, _unfollowed, _blocked, _deleted, _archived, _narrowed)))


async def test_a_public_link_dies_with_its_post(rest: Rest) -> None:
    async def lose(end: Ending) -> None:
        author, reader = await rest.register("eve"), await rest.register("fay")
        post_id = (await rest.publish(author))["postId"]
        url = image_url((await rest.ok("GET", f"/v1/posts/{post_id}", reader))["post"])
        assert (await rest.ask("GET", url)).status_code == 200
        await end(rest, author, reader, post_id)
        await eventually(lambda: gone(rest, url))

    await asyncio.gather(*(lose(end) for end in (_deleted, _archived, _narrowed)))
