"""Crashes at every write, over SQLite."""

from __future__ import annotations

import pytest

from tests.crashes.accounts_crashes import AccountsCrashes, AccountsStorms
from tests.crashes.claims_crashes import ClaimsCrashes
from tests.crashes.engagement_crashes import MoreEngagementCrashes
from tests.crashes.graph_crashes import GraphStorms, MoreGraphCrashes


@pytest.fixture
def storage_url() -> str:
    """A store of each test's own."""
    return "sqlite::memory:"


class TestClaims(ClaimsCrashes):
    """The protocol by itself."""


class TestEngagement(MoreEngagementCrashes):
    """Likes and comments."""


class TestGraph(MoreGraphCrashes):
    """Follows and blocks."""


class TestGraphInStorms(GraphStorms):
    """Follows, blocks and all the rest, many at once."""


class TestAccounts(AccountsCrashes):
    """Registrations and changes of accounts."""


class TestAccountsInStorms(AccountsStorms):
    """Registrations for the same names, many at once."""
