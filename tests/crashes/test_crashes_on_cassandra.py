"""Crashes at every write, over a real Cassandra."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from mesh.testing.chaos import Fault
from stack.cassandra import CassandraCluster
from tests.crashes.accounts_crashes import AccountsCrashes
from tests.crashes.claims_crashes import ClaimsCrashes
from tests.crashes.engagement_crashes import EngagementCrashes
from tests.crashes.graph_crashes import GraphCrashes

# acsylla leaves the pair of sockets by which its threads wake the event loop to the garbage collector.
pytestmark = [
    pytest.mark.cassandra,
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket .*family=1:ResourceWarning"),
]


@pytest.fixture
def storage_url(cassandra: CassandraCluster) -> str:
    """One node; each test has a keyspace of its own."""
    return cassandra.url("crashes")


@pytest.fixture
def faults() -> Iterable[Fault]:
    """Those whose outcome an engine decides; SQLite shows the rest in a tenth of the time."""
    return (Fault.UNANSWERED, Fault.LATE)


class TestClaims(ClaimsCrashes):
    """The protocol by itself."""


class TestEngagement(EngagementCrashes):
    """Likes and comments."""


class TestGraph(GraphCrashes):
    """Follows and blocks."""


class TestAccounts(AccountsCrashes):
    """Registrations and changes of accounts."""
