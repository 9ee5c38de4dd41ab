"""What the cache client promises on a real server, including one that is killed, frozen or wiped."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import pytest

from mesh import deadline
from mesh.cache.client import MAX_KEYS, MAX_VALUE_BYTES, Cache
from mesh.cache.connection import CacheOptions
from mesh.cache.errors import CacheRefused, CacheUnavailable
from mesh.cache.keys import key
from mesh.cache.script import Script

HOUR = timedelta(hours=1)
PATIENCE_SECONDS = 15.0

ADD = Script("add", "return redis.call('INCRBY', KEYS[1], ARGV[1])")
BROKEN = Script("broken", "return redis.call('LPUSH', KEYS[1])")
TWO_KEYS = Script("two_keys", "return {KEYS[1], KEYS[2], ARGV[1]}")


class ServerProcess(Protocol):
    """What a fault test does to a server."""

    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    async def start(self) -> None: ...
    async def restart(self) -> None: ...


class Server(Protocol):
    """A running server that the tests may reach, and hurt."""

    @property
    def url(self) -> str: ...
    @property
    def process(self) -> ServerProcess: ...


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return once it holds; fail if it does not within a generous bound."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not await holds():
        assert time.monotonic() < until, "it never came to hold"
        await asyncio.sleep(0.01)


def fresh(*rest: str) -> bytes:
    """A key nobody has used."""
    return key("test", secrets.token_hex(8), *rest)


class CacheConformance:
    """Subclass it with the fixtures ``shared`` (never hurt) and ``own`` (of one test alone)."""

    @pytest.fixture
    def shared(self) -> Server:
        raise NotImplementedError

    @pytest.fixture
    def own(self) -> Server:
        raise NotImplementedError

    @pytest.fixture
    async def cache(self, shared: Server) -> AsyncIterator[Cache]:
        cache = Cache(CacheOptions(shared.url, seconds=5))
        yield cache
        await cache.close()

    @pytest.fixture
    async def fragile(self, own: Server) -> AsyncIterator[Cache]:
        """A cache on the server that this test hurts."""
        cache = Cache(CacheOptions(own.url, seconds=1))
        yield cache
        await cache.close()

    async def test_calls_that_were_given_up_before_they_were_sent_are_never_sent(self, own: Server) -> None:
        cache, name = Cache(CacheOptions(own.url, seconds=PATIENCE_SECONDS)), fresh()
        await cache.set(name, b"1", HOUR)
        sent = cache.stats.pipelines
        own.process.pause()
        under_way = asyncio.create_task(cache.get(name))

        async def is_sent() -> bool:
            return cache.stats.pipelines > sent

        await eventually(is_sent)  # and not answered: whatever follows waits
        with deadline.limit(0.05), pytest.raises(CacheUnavailable):
            await cache.execute("INCR", name)
        given_up = asyncio.create_task(cache.execute("INCR", name))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        own.process.resume()
        assert await under_way == b"1"
        assert await cache.get(name) == b"1"
        await cache.close()

    async def test_get_of_nothing_is_none(self, cache: Cache) -> None:
        assert await cache.get(fresh()) is None

    async def test_set_then_get(self, cache: Cache) -> None:
        name = fresh()
        assert await cache.set(name, b"value", HOUR)
        assert await cache.get(name) == b"value"

    async def test_values_are_bytes_of_any_kind(self, cache: Cache) -> None:
        name, value = fresh(), bytes(range(256)) + b"\r\n$-1\r\n"
        await cache.set(name, value, HOUR)
        assert await cache.get(name) == value

    async def test_an_empty_value_is_a_value(self, cache: Cache) -> None:
        name = fresh()
        await cache.set(name, b"", HOUR)
        assert await cache.get(name) == b""

    async def test_a_value_of_the_largest_size_is_kept_and_none_larger(self, cache: Cache) -> None:
        name = fresh()
        await cache.set(name, bytes(MAX_VALUE_BYTES), HOUR)
        assert await cache.get(name) == bytes(MAX_VALUE_BYTES)
        with pytest.raises(CacheRefused, match="bytes"):
            await cache.set(name, bytes(MAX_VALUE_BYTES + 1), HOUR)

    async def test_every_value_has_its_ttl(self, cache: Cache) -> None:
        name = fresh()
        await cache.set(name, b"value", HOUR)
        assert 3_590_000 < await cache.execute("PTTL", name) <= 3_600_000

    async def test_a_value_is_gone_after_its_ttl(self, cache: Cache) -> None:
        name = fresh()
        await cache.set(name, b"value", timedelta(milliseconds=20))

        async def gone() -> bool:
            return await cache.get(name) is None

        await eventually(gone)

    @pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta(days=31)])
    async def test_a_ttl_without_sense_is_refused(self, cache: Cache, ttl: timedelta) -> None:
        name = fresh()
        with pytest.raises(CacheRefused, match="ttl"):
            await cache.set(name, b"value", ttl)
        with pytest.raises(CacheRefused, match="ttl"):
            await cache.mset({name: b"value"}, ttl)
        assert await cache.get(name) is None

    async def test_set_if_absent_keeps_the_first(self, cache: Cache) -> None:
        name = fresh()
        assert await cache.set(name, b"first", HOUR, if_absent=True)
        assert not await cache.set(name, b"second", HOUR, if_absent=True)
        assert await cache.get(name) == b"first"

    async def test_mget_keeps_the_order_asked(self, cache: Cache) -> None:
        names = [fresh() for _ in range(3)]
        await cache.mset({names[0]: b"0", names[2]: b"2"}, HOUR)
        assert await cache.mget([names[2], names[1], names[0], names[2]]) == [b"2", None, b"0", b"2"]

    async def test_mset_gives_every_key_its_ttl(self, cache: Cache) -> None:
        names = [fresh() for _ in range(3)]
        await cache.mset(dict.fromkeys(names, b"v"), HOUR)
        assert all(ttl > 0 for ttl in await cache.execute_many([("PTTL", name) for name in names]))

    async def test_nothing_asked_is_nothing_sent(self, cache: Cache) -> None:
        assert await cache.mget([]) == []
        assert await cache.delete() == 0
        assert await cache.execute_many([]) == []
        await cache.mset({}, HOUR)
        assert cache.stats.calls == 0

    async def test_delete_says_how_many_there_were(self, cache: Cache) -> None:
        names = [fresh(), fresh()]
        await cache.set(names[0], b"v", HOUR)
        assert await cache.delete(*names) == 1
        assert await cache.delete(*names) == 0
        assert await cache.get(names[0]) is None

    async def test_batches_are_bounded(self, cache: Cache) -> None:
        names = [b"%d" % number for number in range(MAX_KEYS + 1)]
        with pytest.raises(CacheRefused, match="1001"):
            await cache.mget(names)
        with pytest.raises(CacheRefused, match="1001"):
            await cache.delete(*names)
        with pytest.raises(CacheRefused, match="1001"):
            await cache.mset(dict.fromkeys(names, b"v"), HOUR)

    async def test_a_script_runs_also_where_redis_does_not_know_it_yet(self, cache: Cache) -> None:
        name = fresh()
        await cache.execute("SCRIPT", "FLUSH")
        assert await cache.run(ADD, [name], [5]) == 5
        assert await cache.run(ADD, [name], [2]) == 7
        await cache.delete(name)

    async def test_a_script_gets_its_keys_and_arguments(self, cache: Cache) -> None:
        first, second = key("a", 7), key("b", 7, "x")
        assert await cache.run(TWO_KEYS, [first, second], ["arg"]) == [first, second, b"arg"]

    async def test_a_script_over_keys_of_two_owners_is_refused(self, cache: Cache) -> None:
        with pytest.raises(CacheRefused, match="two_keys needs one or more keys of one hash tag"):
            await cache.run(TWO_KEYS, [key("a", 1), key("a", 2)])

    async def test_a_script_without_keys_is_refused(self, cache: Cache) -> None:
        with pytest.raises(CacheRefused, match="keys"):
            await cache.run(ADD, [])

    async def test_a_script_that_fails_is_refused(self, cache: Cache) -> None:
        with pytest.raises(CacheRefused):
            await cache.run(BROKEN, [fresh()])

    async def test_a_wrong_command_is_refused_and_harms_nobody(self, cache: Cache) -> None:
        name = fresh()
        await cache.set(name, b"text", HOUR)
        results = await asyncio.gather(
            cache.get(name), cache.execute("LPUSH", name, "x"), cache.get(name), return_exceptions=True
        )
        assert results[0] == results[2] == b"text"
        assert isinstance(results[1], CacheRefused)

    async def test_an_argument_of_a_wrong_type_is_refused_and_harms_nobody(self, cache: Cache) -> None:
        name = fresh()
        results = await asyncio.gather(
            cache.set(name, b"v", HOUR),
            cache.execute("SET", name, None),  # type: ignore[arg-type]
            cache.get(name),
            return_exceptions=True,
        )
        assert (results[0], results[2]) == (True, b"v")
        assert isinstance(results[1], CacheRefused)

    async def test_many_commands_answer_in_order_with_errors_in_place(self, cache: Cache) -> None:
        name = fresh()
        answers = await cache.execute_many([("INCR", name), ("LPUSH", name, "x"), ("INCR", name), ("DEL", name)])
        assert (answers[0], answers[2], answers[3]) == (1, 2, 1)
        assert isinstance(answers[1], CacheRefused)

    async def test_concurrent_calls_each_get_their_own_answer(self, cache: Cache) -> None:
        names = [fresh() for _ in range(2_000)]
        await asyncio.gather(*(cache.set(name, name, HOUR) for name in names))
        assert await asyncio.gather(*(cache.get(name) for name in names)) == names

    async def test_concurrent_calls_share_pipelines(self, cache: Cache) -> None:
        await asyncio.gather(*(cache.get(fresh()) for _ in range(1_000)))
        assert cache.stats.calls == 1_000
        assert cache.stats.pipelines < 20
        assert cache.stats.connects == 1

    async def test_a_cancelled_call_leaves_the_others_their_answers(self, cache: Cache) -> None:
        names = [fresh() for _ in range(100)]
        await cache.mset({name: name for name in names}, HOUR)
        calls = [asyncio.create_task(cache.get(name)) for name in names]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert answers[1::2] == names[1::2]
        assert await cache.get(names[0]) == names[0]

    async def test_a_deadline_that_passed_sends_nothing(self, cache: Cache) -> None:
        name = fresh()
        with deadline.limit(0), pytest.raises(deadline.DeadlineExceeded):
            await cache.set(name, b"v", HOUR)
        assert await cache.get(name) is None

    async def test_the_queue_is_bounded(self, shared: Server) -> None:
        cache = Cache(CacheOptions(shared.url, seconds=5, max_queue=10))
        answers = await asyncio.gather(*(cache.get(fresh()) for _ in range(50)), return_exceptions=True)
        assert answers[:10] == [None] * 10
        assert all(isinstance(answer, CacheUnavailable) for answer in answers[10:])
        await cache.close()

    async def test_the_bytes_that_wait_are_bounded(self, shared: Server) -> None:
        cache = Cache(CacheOptions(shared.url, seconds=5, max_queue_bytes=1_000))
        with pytest.raises(CacheUnavailable, match="wait"):
            await cache.set(fresh(), bytes(1_001), HOUR)
        assert await cache.set(fresh(), bytes(100), HOUR)
        await cache.close()

    async def test_a_server_that_answers_is_healthy(self, cache: Cache) -> None:
        assert (await cache.health()).ready

    async def test_a_closed_client_refuses_and_may_be_closed_again(self, shared: Server) -> None:
        cache = Cache(CacheOptions(shared.url))
        await cache.get(fresh())
        await cache.close()
        await cache.close()
        with pytest.raises(CacheUnavailable, match="closed"):
            await cache.get(fresh())

    async def test_a_server_that_was_never_there_is_unavailable(self, own: Server) -> None:
        own.process.kill()
        cache = Cache(CacheOptions(own.url))
        with pytest.raises(CacheUnavailable, match="away"):
            await cache.get(fresh())
        assert not (await cache.health()).ready
        await cache.close()

    async def test_calls_fail_at_once_while_the_server_is_away(self, own: Server, fragile: Cache) -> None:
        await fragile.set(fresh(), b"v", HOUR)
        own.process.kill()
        failed = await asyncio.gather(*(fragile.get(fresh()) for _ in range(100)), return_exceptions=True)
        assert all(isinstance(answer, CacheUnavailable) for answer in failed)
        sent = fragile.stats.calls
        failed = await asyncio.gather(*(fragile.get(fresh()) for _ in range(100)), return_exceptions=True)
        assert all(isinstance(answer, CacheUnavailable) for answer in failed)
        assert fragile.stats.calls == sent

    async def test_the_client_connects_again_by_itself(self, own: Server, fragile: Cache) -> None:
        name = fresh()
        await fragile.set(name, b"v", HOUR)
        own.process.kill()
        with pytest.raises(CacheUnavailable):
            await fragile.get(name)
        await own.process.start()

        async def healthy() -> bool:
            return (await fragile.health()).ready

        await eventually(healthy)
        assert await fragile.set(name, b"again", HOUR)
        assert await fragile.get(name) == b"again"

    async def test_a_restart_between_two_calls_goes_unnoticed(self, own: Server, fragile: Cache) -> None:
        await fragile.set(fresh(), b"v", HOUR)
        await own.process.restart()
        assert await fragile.set(fresh(), b"v", HOUR)
        assert fragile.stats.connects == 2

    async def test_scripts_run_after_the_server_lost_everything(self, own: Server, fragile: Cache) -> None:
        name = fresh()
        await fragile.run(ADD, [name], [5])
        await fragile.execute("FLUSHALL")
        await own.process.restart()
        assert await fragile.run(ADD, [name], [1]) == 1

    async def test_acknowledged_stream_entries_survive_a_kill(self, own: Server, fragile: Cache) -> None:
        stream = fresh()
        added = await asyncio.gather(*(fragile.execute("XADD", stream, "*", "n", n) for n in range(500)))
        await own.process.restart()
        kept = await fragile.execute("XRANGE", stream, "-", "+")
        assert [entry for entry, _ in kept] == added

    async def test_calls_under_way_at_a_kill_end(self, own: Server, fragile: Cache) -> None:
        calls = [asyncio.create_task(fragile.run(ADD, [fresh()], [1])) for _ in range(2_000)]
        await asyncio.sleep(0.01)
        own.process.kill()
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            assert answer == 1 or isinstance(answer, CacheUnavailable)

    async def test_a_frozen_server_costs_no_more_than_the_bound(self, own: Server) -> None:
        cache = Cache(CacheOptions(own.url, seconds=0.1))
        await cache.get(fresh())
        own.process.pause()
        with pytest.raises(CacheUnavailable):
            await cache.get(fresh())
        own.process.resume()

        async def healthy() -> bool:
            return (await cache.health()).ready

        await eventually(healthy)
        await cache.close()

    async def test_a_full_server_is_unavailable_and_keeps_what_has_no_ttl(self, own: Server, fragile: Cache) -> None:
        stream = fresh()
        entry = await fragile.execute("XADD", stream, "*", "n", 1)
        await fragile.execute("CONFIG", "SET", "maxmemory", "2mb")
        entries = [("XADD", fresh(), "*", "data", bytes(100_000)) for _ in range(100)]
        assert any(isinstance(answer, CacheUnavailable) for answer in await fragile.execute_many(entries))
        with pytest.raises(CacheUnavailable, match="memory"):
            await fragile.execute(*entries[0])
        assert [found for found, _ in await fragile.execute("XRANGE", stream, "-", "+")] == [entry]

    async def test_cached_values_make_room_for_others(self, own: Server, fragile: Cache) -> None:
        await fragile.execute("CONFIG", "SET", "maxmemory", "4mb")
        for _ in range(100):
            assert await fragile.set(fresh(), bytes(100_000), HOUR)
