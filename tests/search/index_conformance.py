"""What every search index promises. An engine's test class supplies the ``index`` fixture and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from services.search.documents import Place, Post, User
from services.search.index import Page, Position, SearchIndex
from services.search.index.contract import MAX_WRITE
from services.search.service import Search

ANA, BEN = 7, 8
KOTOR = Place("kotor", "Old Town, Kotor", 42.425, 18.771)
OPERATORS = [
    '"',
    "(",
    "a AND",
    "NOT",
    "*",
    "a:b",
    "[a TO",
    "^2",
    "~",
    "\\",
    "-a +b",
    "a" * 200,
    "\0",
    "🇫",
    "\u200d",
    "؟",
]


def user(user_id: int, username: str = "", display_name: str = "", version: int = 1, **facts: bool) -> User:
    return User(user_id, version, username or f"user{user_id}", display_name, **facts)


def post(post_id: int, caption: str = "", author_id: int = ANA, version: int = 1, **facts: Any) -> Post:
    return Post(post_id, author_id, version, caption, **facts)


async def everything(read: Callable[[Position | None], Awaitable[Page[Any]]]) -> list[Any]:
    """All pages of a list, one after another."""
    items: list[Any] = []
    after: Position | None = None
    while True:
        page = await read(after)
        items += page.items
        after = page.next
        if after is None:
            return items


class IndexConformance:
    """Subclass it and give it a fixture ``index``: an empty one."""

    @pytest.fixture
    async def index(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    async def search(self, index: SearchIndex) -> Search:
        await index.write([user(ANA, "ana", "Ana Öztürk"), user(BEN, "ben.carter", "Ben")])
        return Search(index)

    # Posts by caption

    @pytest.mark.parametrize(
        ("caption", "query"),
        [
            ("Sunset over the bay", "SUNSET"),
            ("Sunset over the bay", "bay sunset"),
            ("Café crème", "cafe creme"),
            ("cafe creme", "Café crème"),
            ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),
            ("Große Straße", "grosse strasse"),
            ("two sunsets", "sunset"),
            ("one sunset", "sunsets"),
            ("what a day 🌅🏖️", "🏖"),
            ("thanks 👍🏽", "👍"),
            ("🇫🇷 trip", "🇫🇷"),
            ("東京タワーに行った", "東京"),
            ("東京タワーに行った", "タワー"),
            ("今天在北京吃饭", "北京"),
            ("서울에서 산책", "서울"),
            ("ไปเที่ยวทะเล", "ทะเล"),
            ("прогулка в Ёлках", "елках"),
            ("don't look back", "don't"),
            ("look: back!", "look, back?"),
        ],
    )
    async def test_a_post_is_found_by_words_of_its_caption(
        self, index: SearchIndex, search: Search, caption: str, query: str
    ) -> None:
        await index.write([post(1, caption)])
        assert (await search.posts(query, None, 10)).items == [1]

    @pytest.mark.parametrize(
        ("caption", "query"),
        [
            ("sunset", "sunset moon"),
            ("sunset", "sun"),
            ("東京", "京東"),
            ("👩‍🚀", "🚀"),
            ("🇫🇷", "🇩🇪"),
            ("sunset", "#sunset"),
        ],
    )
    async def test_a_post_that_lacks_a_word_of_the_query_is_not_found(
        self, index: SearchIndex, search: Search, caption: str, query: str
    ) -> None:
        await index.write([post(1, caption)])
        assert (await search.posts(query, None, 10)).items == []

    async def test_a_hashtag_in_a_query_asks_for_that_hashtag(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(1, "at the beach"), post(2, "sand #Beach", hashtags=("beach",))])
        assert (await search.posts("#BEACH", None, 10)).items == [2]
        assert (await search.posts("beach", None, 10)).items == [2, 1]

    async def test_posts_come_newest_first(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(number, "sea") for number in (5, 2, 9, 1)])
        assert (await search.posts("sea", None, 10)).items == [9, 5, 2, 1]

    @pytest.mark.parametrize("query", OPERATORS)
    async def test_no_query_is_malformed(self, search: Search, query: str) -> None:
        for find in (search.users, search.posts, search.hashtags, search.places, search.tagged):
            assert (await find(query, None, 10)).items == [] or query in ("-a +b", "NOT", "a AND", "a:b", "[a TO")

    @pytest.mark.parametrize("query", ["?!", " ", "#", "…"])
    async def test_a_query_without_a_word_finds_nothing(self, index: SearchIndex, search: Search, query: str) -> None:
        await index.write([post(1, "sea", hashtags=("sea",), place=KOTOR)])
        for find in (search.users, search.posts, search.hashtags, search.places):
            assert (await find(query, None, 10)).items == []

    # Versions, deletes and audiences

    async def test_an_older_version_never_replaces_a_newer_one(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(1, "new", version=3)])
        await index.write([post(1, "old", version=2)])
        assert (await search.posts("new", None, 10)).items == [1]
        assert (await search.posts("old", None, 10)).items == []

    async def test_within_one_write_too_the_newer_version_wins(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(1, "new", version=3), post(1, "old", version=2)])
        assert (await search.posts("new", None, 10)).items == [1]

    async def test_an_edited_caption_is_found_by_its_new_words_alone(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(1, "winter")])
        await index.write([post(1, "summer", version=2)])
        assert (await search.posts("summer", None, 10)).items == [1]
        assert (await search.posts("winter", None, 10)).items == []

    async def test_a_deleted_post_stays_deleted_when_an_old_event_comes_again(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write([post(1, "sea", hashtags=("sea",))])
        await index.write([post(1, version=2, live=False)])
        await index.write([post(1, "sea", hashtags=("sea",))])
        assert (await search.posts("sea", None, 10)).items == []
        assert (await search.hashtags("sea", None, 10)).items == []

    async def test_an_archived_post_is_found_again_once_it_is_unarchived(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write([post(1, "sea", hashtags=("sea",))])
        await index.write([post(1, version=2, live=False)])
        assert (await search.tagged("sea", None, 10)).items == []
        await index.write([post(1, "sea", version=3, hashtags=("sea",))])
        assert (await search.tagged("sea", None, 10)).items == [1]

    async def test_posts_not_for_everyone_are_found_and_not_counted(self, index: SearchIndex, search: Search) -> None:
        facts: dict[str, Any] = {"hashtags": ("sea",), "place": KOTOR}
        await index.write([post(1, "sea", **facts), post(2, "sea", for_everyone=False, **facts)])
        assert (await search.posts("sea", None, 10)).items == [2, 1]
        assert (await search.tagged("sea", None, 10)).items == [2, 1]
        assert (await search.taken_at("kotor", None, 10)).items == [2, 1]
        assert [hit.post_count for hit in (await search.hashtags("sea", None, 10)).items] == [1]
        assert [hit.post_count for hit in (await search.places("kotor", None, 10)).items] == [1]

    async def test_a_hashtag_or_place_of_restricted_posts_alone_is_not_shown(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write([post(1, "sea", hashtags=("secret",), place=KOTOR, for_everyone=False)])
        assert (await search.hashtags("secret", None, 10)).items == []
        assert (await search.places("kotor", None, 10)).items == []

    async def test_counts_follow_an_author_who_goes_private_and_back(self, index: SearchIndex, search: Search) -> None:
        posts = [post(number, "sea", hashtags=("sea",)) for number in range(1, 1300)]
        await index.write([*posts, post(2000, "sea", BEN, hashtags=("sea",))])
        for version, private, count in ((2, True, 1), (3, False, 1300)):
            await index.write([user(ANA, "ana", version=version, private=private)])
            assert [hit.post_count for hit in (await search.hashtags("sea", None, 10)).items] == [count]
            assert len(await everything(lambda after: search.tagged("sea", after, 100))) == 1300

    async def test_posts_of_a_hidden_author_are_found_nowhere_until_they_return(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write([post(1, "sea", hashtags=("sea",))])
        await index.write([User(ANA, 2, hidden=True)])
        assert (await search.posts("sea", None, 10)).items == []
        assert (await search.hashtags("sea", None, 10)).items == []
        assert (await search.users("ana", None, 10)).items == []
        await index.write([user(ANA, "ana", version=3)])
        assert (await search.posts("sea", None, 10)).items == [1]
        assert (await search.users("ana", None, 10)).items == [ANA]

    async def test_posts_of_an_author_not_known_yet_count_as_restricted(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write([post(1, "sea", author_id=99, hashtags=("sea",))])
        assert (await search.hashtags("sea", None, 10)).items == []
        await index.write([user(99)])
        assert [hit.post_count for hit in (await search.hashtags("sea", None, 10)).items] == [1]

    async def test_posts_and_their_author_in_one_write_count_at_once(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(1, "a", 99, hashtags=("sea",)), user(99), post(2, "b", 99, hashtags=("sea",))])
        assert [hit.post_count for hit in (await search.hashtags("sea", None, 10)).items] == [2]

    async def test_repeating_every_write_changes_nothing(self, index: SearchIndex, search: Search) -> None:
        writes = [user(ANA, "ana", version=2, private=True), post(1, "sea", hashtags=("sea",)), post(2, "sea", BEN)]
        for _ in range(3):
            await index.write([*writes, post(3, "sea", BEN, hashtags=("sea",))])
        assert (await search.posts("sea", None, 10)).items == [3, 2, 1]
        assert [hit.post_count for hit in (await search.hashtags("sea", None, 10)).items] == [1]

    # Hashtags and places

    async def test_hashtags_come_by_prefix_most_used_first(self, index: SearchIndex, search: Search) -> None:
        tags = [("sun",), ("sunset",), ("sunset", "sun"), ("sunset",), ("moon",)]
        await index.write([post(number, hashtags=some) for number, some in enumerate(tags, start=1)])
        hits = (await search.hashtags("#SUN", None, 10)).items
        assert [(hit.tag, hit.post_count) for hit in hits] == [("sunset", 3), ("sun", 2)]

    async def test_accents_tell_hashtags_apart_and_a_prefix_finds_both(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write([post(1, hashtags=("café",)), post(2, hashtags=("cafe",)), post(3, hashtags=("cafe",))])
        assert [hit.tag for hit in (await search.hashtags("cafe", None, 10)).items] == ["cafe", "café"]
        assert (await search.tagged("#CAFÉ", None, 10)).items == [1]

    @pytest.mark.parametrize(
        ("tag", "query"), [("東京", "東"), ("🌅", "🌅"), ("sun🌅", "sun"), ("newyork", "new york")]
    )
    async def test_hashtags_of_any_script_are_found(
        self, index: SearchIndex, search: Search, tag: str, query: str
    ) -> None:
        await index.write([post(1, hashtags=(tag,))])
        assert [hit.tag for hit in (await search.hashtags(query, None, 10)).items] == [tag]

    async def test_a_removed_hashtag_is_no_longer_counted(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(1, hashtags=("a", "b")), post(2, hashtags=("a",))])
        await index.write([post(1, version=2, hashtags=("b",))])
        assert [hit.post_count for hit in (await search.hashtags("a", None, 10)).items] == [1]
        await index.write([post(2, version=2)])
        assert (await search.hashtags("a", None, 10)).items == []

    @pytest.mark.parametrize("query", ["kotor", "old town", "town kot", "KOTÓR"])
    async def test_places_are_found_by_words_of_their_name(
        self, index: SearchIndex, search: Search, query: str
    ) -> None:
        await index.write([post(1, place=KOTOR), post(2, place=KOTOR), post(3, place=Place("x", "New Town"))])
        hits = (await search.places(query, None, 10)).items
        assert [(hit.place, hit.post_count) for hit in hits] == [(KOTOR, 2)]

    async def test_a_post_that_moves_is_listed_at_its_new_place(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(1, place=KOTOR)])
        await index.write([post(1, place=Place("bar", "Bar"), version=2)])
        assert (await search.taken_at("kotor", None, 10)).items == []
        assert (await search.taken_at("bar", None, 10)).items == [1]
        assert (await search.places("kotor", None, 10)).items == []

    # People

    async def test_the_exact_username_comes_before_words_prefixes_and_typos(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write(
            [user(1, "marta2"), user(2, "marts"), user(3, "xyz", "Marta Novak"), user(4, "marta"), user(5, "martin")]
        )
        assert (await search.users("Marta", None, 10)).items == [4, 3, 1, 2]

    @pytest.mark.parametrize("query", ["@ben.carter", "BEN.carter", "ben", "carter", "bencar", "be", "cartr", "Bén"])
    async def test_a_person_is_found_by_username(self, search: Search, query: str) -> None:
        assert (await search.users(query, None, 10)).items == [BEN]

    @pytest.mark.parametrize("query", ["Öztürk", "ozturk", "ana oz", "oztruk"])
    async def test_a_person_is_found_by_display_name(self, search: Search, query: str) -> None:
        assert (await search.users(query, None, 10)).items == [ANA]

    async def test_names_in_any_script_and_emoji_are_found(self, index: SearchIndex, search: Search) -> None:
        await index.write(
            [user(20, display_name="田中太郎"), user(21, display_name="Zoë 🌸"), user(22, display_name="Мария")]
        )
        assert (await search.users("田中", None, 10)).items == [20]
        assert (await search.users("🌸", None, 10)).items == [21]
        assert (await search.users("мар", None, 10)).items == [22]

    async def test_private_people_are_found(self, index: SearchIndex, search: Search) -> None:
        await index.write([user(20, "quiet", private=True)])
        assert (await search.users("quiet", None, 10)).items == [20]

    async def test_a_renamed_person_is_found_by_the_new_name_alone(self, index: SearchIndex, search: Search) -> None:
        await index.write([user(ANA, "zelda", version=2)])
        assert (await search.users("zelda", None, 10)).items == [ANA]
        assert (await search.users("ana", None, 10)).items == []

    # Pages

    async def test_pages_of_people_neither_repeat_nor_skip(self, index: SearchIndex, search: Search) -> None:
        people = [user(100 + number, f"ana{number}", "Ana" if number % 3 else "") for number in range(60)]
        await index.write(people)
        found = await everything(lambda after: search.users("ana", after, 7))
        assert len(found) == 61
        assert set(found) == {ANA, *(one.user_id for one in people)}
        assert found == (await search.users("ana", None, 200)).items

    async def test_pages_of_posts_stay_stable_while_new_ones_come(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(number, "sea") for number in range(1, 51)])
        found: list[int] = []
        after = None
        for round_ in range(8):
            page = await search.posts("sea", after, 7)
            found += page.items
            after = page.next
            await index.write([post(1000 + round_, "sea")])
        assert after is None
        assert found == list(range(50, 0, -1))

    async def test_pages_of_hashtags_and_places_neither_repeat_nor_skip(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write(
            [
                post(number, hashtags=(f"tag{number % 40}",), place=Place(f"p{number % 30}", f"Tag {number % 30}"))
                for number in range(1, 101)
            ]
        )
        hashtags = await everything(lambda after: search.hashtags("tag", after, 7))
        assert len({hit.tag for hit in hashtags}) == len(hashtags) == 40
        assert [hit.post_count for hit in hashtags] == [3] * 20 + [2] * 20
        places = await everything(lambda after: search.places("tag", after, 7))
        assert len({hit.place.place_id for hit in places}) == len(places) == 30
        assert sum(hit.post_count for hit in places) == 100

    async def test_a_full_last_page_ends_the_list(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(number, "sea") for number in range(1, 11)])
        first = await search.posts("sea", None, 5)
        last = await search.posts("sea", first.next, 5)
        assert (len(last.items), last.next) == (5, None)

    # Rebuilding

    async def test_a_rebuilt_index_holds_what_was_written_to_it_and_nothing_else(
        self, index: SearchIndex, search: Search
    ) -> None:
        await index.write([post(1, "old")])
        fresh = await index.rebuild()
        await fresh.write([user(ANA, "ana"), post(2, "new")])
        assert (await search.posts("old", None, 10)).items == [1]
        await fresh.switch()
        await fresh.abandon()
        assert index.complete
        assert (await search.posts("old", None, 10)).items == []
        assert (await search.posts("new", None, 10)).items == [2]
        await index.write([post(3, "new")])
        assert (await search.posts("new", None, 10)).items == [3, 2]

    async def test_writes_during_a_rebuild_hold_before_and_after_the_switch(
        self, index: SearchIndex, search: Search
    ) -> None:
        stale = [user(ANA, "ana"), post(1, "sea"), post(2, "sea")]
        fresh = await index.rebuild()
        await index.write([post(2, version=2, live=False), post(3, "sea")])
        await fresh.write(stale)
        assert (await search.posts("sea", None, 10)).items == [3]
        await fresh.switch()
        assert (await search.posts("sea", None, 10)).items == [3, 1]

    async def test_an_abandoned_rebuild_leaves_the_index_as_it_was(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(1, "sea")])
        fresh = await index.rebuild()
        await fresh.write([post(2, "sea")])
        await fresh.abandon()
        await fresh.abandon()
        assert (await search.posts("sea", None, 10)).items == [1]

    async def test_reads_go_on_while_writes_and_a_switch_go_on(self, index: SearchIndex, search: Search) -> None:
        await index.write([post(number, "sea") for number in range(1, 101)])

        async def rebuild() -> None:
            fresh = await index.rebuild()
            await fresh.write([user(ANA), *(post(number, "sea") for number in range(1, 101))])
            await fresh.switch()

        rebuilding = asyncio.create_task(rebuild())
        while not rebuilding.done():
            assert len((await search.posts("sea", None, 200)).items) == 100
        await rebuilding

    async def test_a_write_too_large_is_refused_whole(self, index: SearchIndex, search: Search) -> None:
        with pytest.raises(ValueError, match="at most"):
            await index.write([replace(post(1, "sea"), post_id=number) for number in range(1, MAX_WRITE + 2)])
        assert (await search.posts("sea", None, 10)).items == []

    async def test_closing_may_be_repeated(self, index: SearchIndex) -> None:
        await index.close()
        await index.close()
