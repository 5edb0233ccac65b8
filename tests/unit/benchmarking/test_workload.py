"""What the benchmark sends is what the platform reads, and the same for every contender."""

from __future__ import annotations

import yaml

from benchmarks.workload import (
    book_configuration,
    entry,
    peer_message,
    reported_message,
)
from hourbridge.common.book import parse_book_configuration
from hourbridge.common.messages.registry import REGISTRY


def test_a_reported_entry_is_valid_and_about_500_bytes() -> None:
    message = reported_message(5)

    event = REGISTRY.decode(message.type, message.body)

    assert event.data.input.seconds == entry(5).seconds
    assert 450 <= len(message.body) <= 550


def test_the_peer_gets_bodies_of_the_same_size() -> None:
    assert len(peer_message(17).body) == len(reported_message(17).body)


def test_every_entry_has_a_client_a_project_a_task_and_a_rate_in_the_book() -> None:
    book = parse_book_configuration(yaml.safe_load(book_configuration()))
    clients = {rule.client for rule in book.clients}
    projects = {rule.project for rule in book.projects}
    priced = {(rule.project, rule.task) for rule in book.rates.rules}

    for number in range(1000):
        facts = entry(number)
        assert facts.client in clients
        assert facts.project in projects
        assert (facts.project, facts.task) in priced
