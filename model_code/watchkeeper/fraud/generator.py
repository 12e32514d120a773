"""A world of customers who pay, and of fraud: transactions by a rule, in the order of time, with the truth.

The columns are those of the IEEE-CIS tables, and two that these lack: `terminal` and `email`. Customers,
terminals and the first three scenarios follow the simulator of the Fraud Detection Handbook
(https://fraud-detection-handbook.github.io): amounts beyond a limit; terminals that are compromised for four
weeks; customers whose card data is used for two. The fourth is a ring: stolen and new cards behind a few
devices for some days. Households, offices and public computers share devices without fraud.

A day depends on the seed and its number only: any day can be made without those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from watchkeeper.core.errors import InvalidInputError

Scenario = Literal["none", "amount", "terminal", "card_data", "ring"]
SCENARIOS: tuple[Scenario, ...] = ("none", "amount", "terminal", "card_data", "ring")

ID_COLUMN = "TransactionID"
TRANSACTION_COLUMNS = (
    *(
        ID_COLUMN,
        "TransactionDT",
        "TransactionAmt",
        "ProductCD",
        "card1",
        "card4",
        "card6",
        "addr1",
        "addr2",
    ),
    *("dist1", "P_emaildomain", "D1", "V1", "V2", "V3", "V4", "email", "terminal"),
)
IDENTITY_COLUMNS = (ID_COLUMN, "DeviceType", "DeviceInfo", "id_31")
LABEL_COLUMN = "isFraud"

DAY_SECONDS = 86_400
FIRST_ID = 2_987_000_000
"""Ids are whole numbers: this, and a million for each day."""
IDS_A_DAY = 1_000_000

TERMINAL_DAYS, CARD_DATA_DAYS, RING_DAYS = 28, 14, 8
AMOUNT_LIMIT = 220.0
"""Above it a transaction is fraud: the Handbook's first scenario."""
SHARES = {"terminal": 0.35, "card_data": 0.2, "ring": 0.4}
"""Of the frauds, about; the rest are beyond the limit."""

_CARDS_A_RING, _DEVICES_A_RING, _RING_TRANSACTIONS_A_DAY = 15, 3, 6.0
_NEAR = 0.08
"""Customers pay at terminals within this distance, in a square of side 1."""
_PAST = 1_000
"""Days before the first on which somebody may have been compromised: seeds are not negative."""
_SIGNALS = 4
_DRIFT = 0.5
"""Mean of the signals V1 to V4 in frauds of the scenarios `card_data` and `ring`, in standard deviations."""
_PRODUCTS = ("W", "H", "C", "R", "S")
_NETWORKS = ("visa", "mastercard", "discover", "american express")
_DOMAINS = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "aol.com", "icloud.com")
_BROWSERS = ("chrome", "safari", "firefox", "edge", "samsung browser")

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class GeneratedTransaction:
    """One transaction as it is sent, and the truth about it."""

    fields: dict[str, Any]
    """By column; what is not known is absent."""
    fraud: bool
    scenario: Scenario


@dataclass(frozen=True)
class World:
    """Customers, terminals and those who defraud them.

    Examples
    --------
    >>> world = World(customers=200, terminals=50, transactions_a_day=300)
    >>> first = next(world.stream())
    >>> first.fields["ProductCD"] in ("W", "H", "C", "R", "S"), first.fraud
    (True, False)
    """

    seed: int = 7
    customers: int = 5_000
    terminals: int = 1_000
    transactions_a_day: float = 1_000.0
    """Mean number of genuine ones."""
    fraud_share: float = 0.02
    """About this share of the transactions is fraud."""
    start: int = 1_767_225_600
    """Epoch seconds of the first day's beginning: 2026-01-01."""

    def __post_init__(self) -> None:
        """Refuse a world that cannot be."""
        if self.customers < 1 or self.terminals < 1 or not 0.0 <= self.fraud_share <= 0.2:
            raise InvalidInputError(
                f"a world of {self.customers} customers, {self.terminals} terminals and {self.fraud_share:g} "
                "fraud: at least one of each, and a share between 0 and 0.2",
                reason="bad_world",
            )
        if not 0.0 < self.transactions_a_day <= IDS_A_DAY / 2:
            raise InvalidInputError(
                f"{self.transactions_a_day:g} transactions a day: more than 0, at most {IDS_A_DAY // 2}",
                reason="bad_world",
            )

    def stream(self, first_day: int = 0) -> Iterator[GeneratedTransaction]:
        """Return transactions in the order of time, without an end."""
        day = first_day
        while True:
            yield from self.transactions(day)
            day += 1

    def transactions(self, day: int) -> Iterator[GeneratedTransaction]:
        """Return a day's transactions in the order of time."""
        yield from rows_of(self.day(day))

    def table(self, days: int, first_day: int = 0) -> Columns:
        """Return some days as columns; see `day`."""
        parts = [self.day(first_day + number) for number in range(days)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def day(self, number: int) -> Columns:
        """Return a day's transactions as columns in the order of time.

        Returns
        -------
        dict of ndarray
            All columns of both tables, `isFraud` and `scenario`. An empty text is no value.
        """
        random = self._random(number, 0)
        usual = self._genuine(random)
        self._compromise(usual, number, random)
        ring = self._rings(usual, number, random)
        columns = {name: np.concatenate([usual[name], ring[name]]) for name in usual}
        columns = self._described(columns, random)
        order = np.argsort(columns["seconds"], kind="stable")
        columns = {name: values[order] for name, values in columns.items()}
        columns[ID_COLUMN] = FIRST_ID + number * IDS_A_DAY + np.arange(len(order))
        columns["TransactionDT"] = self.start + number * DAY_SECONDS + columns.pop("seconds").astype(np.int64)
        columns["D1"] = np.maximum(0, number - columns.pop("first_day"))
        return columns

    def _random(self, day: int, purpose: int) -> Generator:
        return np.random.default_rng([self.seed, purpose, day])

    @cached_property
    def _people(self) -> _People:
        return _People.of(self)

    def _genuine(self, random: Generator) -> Columns:
        people = self._people
        weights = people.activity / people.activity.sum()
        customers = random.choice(self.customers, random.poisson(self.transactions_a_day), p=weights)
        n = len(customers)
        near = people.near[customers, random.integers(0, people.near.shape[1], n)]
        terminals = np.where(random.random(n) < 0.05, random.integers(0, self.terminals, n), near)
        amounts = np.abs(random.normal(people.mean_amount[customers], people.mean_amount[customers] / 2))
        device = people.devices[customers, random.integers(0, people.devices.shape[1], n)]
        public = random.random(n) < 0.03
        device[public] = -1 - random.integers(0, max(1, self.customers // 250), public.sum())
        return {
            "card": customers,
            "first_day": people.first_day[customers],
            "email_owner": customers,
            "address": people.address[customers],
            "device": device,
            "online": random.random(n) < people.online[customers],
            "terminal_number": terminals,
            "amount": amounts,
            "seconds": random.normal(50_000, 20_000, n) % DAY_SECONDS,
            "distance": np.hypot(*(people.place[customers] - people.terminal_place[terminals]).T),
            "scenario": np.where(amounts > AMOUNT_LIMIT, 1, 0),
        }

    def _expected_frauds(self, scenario: str) -> float:
        """Return how many frauds of a scenario a day should have."""
        return self.transactions_a_day * self.fraud_share * SHARES[scenario]

    def _compromise(self, columns: Columns, day: int, random: Generator) -> None:
        """Make transactions at compromised terminals and with stolen card data fraud."""
        at_terminal = self._expected_frauds("terminal") / TERMINAL_DAYS
        share = at_terminal / (self.transactions_a_day / self.terminals)
        terminals = self._chosen(day, 1, TERMINAL_DAYS, share, self.terminals)
        columns["scenario"][np.isin(columns["terminal_number"], terminals)] = 2
        share = 3 * self._expected_frauds("card_data") / CARD_DATA_DAYS
        cards = self._chosen(
            day, 2, CARD_DATA_DAYS, share / (self.transactions_a_day / self.customers), self.customers
        )
        used = np.isin(columns["card"], cards) & (random.random(len(columns["card"])) < 1 / 3)
        columns["amount"][used] *= 5
        columns["scenario"][used] = 3

    def _chosen(self, day: int, purpose: int, days: int, a_day: float, of: int) -> NDArray[np.int64]:
        """Return who is compromised on a day: chosen on it, or on one of the days before."""
        begun = []
        for first in range(day - days + 1, day + 1):
            random = self._random(first + _PAST, purpose)
            begun.append(random.integers(0, of, random.poisson(a_day)))
        return np.concatenate(begun)

    def _rings(self, usual: Columns, day: int, random: Generator) -> Columns:
        """Return the transactions of the rings that are active on a day."""
        per_ring = _RING_TRANSACTIONS_A_DAY * RING_DAYS
        parts = [{name: values[:0] for name, values in usual.items()}]
        for first in range(day - RING_DAYS + 1, day + 1):
            begun = self._random(first + _PAST, 3).poisson(self._expected_frauds("ring") / per_ring)
            parts += [self._ring(first, ring, random) for ring in range(begun)]
        return {name: np.concatenate([part[name] for part in parts]) for name in usual}

    def _ring(self, first: int, ring: int, today: Generator) -> Columns:
        """Return one ring's transactions of a day: who is in it follows from the day on which it began."""
        people, number = self._people, (first + _PAST) * 1_000 + ring
        random = np.random.default_rng([self.seed, 4, number])
        stolen = random.random(_CARDS_A_RING) < 0.6
        new = self.customers + number * 100 + np.arange(_CARDS_A_RING)
        cards = np.where(stolen, random.integers(0, self.customers, _CARDS_A_RING), new)
        first_day = np.where(stolen, people.first_day[np.minimum(cards, self.customers - 1)], first)
        devices = 10_000_000 + number * 100 + np.arange(_DEVICES_A_RING)
        addresses = random.choice(people.address, 4)
        n = today.poisson(_RING_TRANSACTIONS_A_DAY)
        pick = today.integers(0, _CARDS_A_RING, n)
        terminals = today.integers(0, self.terminals, n)
        return {
            "card": cards[pick],
            "first_day": first_day[pick],
            "email_owner": self.customers + number * 100 + pick // 3,
            "address": np.where(
                stolen[pick], people.address[np.minimum(cards, self.customers - 1)][pick], addresses[pick % 4]
            ),
            "device": devices[today.integers(0, _DEVICES_A_RING, n)],
            "online": today.random(n) < 0.9,
            "terminal_number": terminals,
            "amount": np.abs(today.normal(60.0, 30.0, n)),
            "seconds": today.normal(50_000, 20_000, n) % DAY_SECONDS,
            "distance": np.abs(today.normal(0.2, 0.2, n)),
            "scenario": np.full(n, 4),
        }

    def _described(self, columns: Columns, random: Generator) -> Columns:
        """Return the columns as tables have them."""
        n, scenario = len(columns["card"]), columns["scenario"]
        signals = random.normal(size=(n, _SIGNALS))
        signals[scenario >= 3] += _DRIFT
        online = columns["online"]
        described = {
            "TransactionAmt": np.maximum(0.01, columns["amount"]).round(2),
            "ProductCD": np.array(_PRODUCTS)[columns["terminal_number"] % len(_PRODUCTS)],
            "card1": _named("c", columns["card"]),
            "card4": np.array(_NETWORKS)[columns["card"] % len(_NETWORKS)],
            "card6": np.where(columns["card"] % 3 == 0, "credit", "debit"),
            "addr1": _named("a", columns["address"]),
            "addr2": np.full(n, 87),
            "dist1": (columns["distance"] * 1_000).round(),
            "P_emaildomain": np.array(_DOMAINS)[columns["email_owner"] % len(_DOMAINS)],
            "email": _named("e", columns["email_owner"]),
            "terminal": _named("t", columns["terminal_number"]),
            **{f"V{at + 1}": signals[:, at].round(3) for at in range(_SIGNALS)},
            "DeviceType": np.where(online, np.where(columns["device"] % 2 == 0, "mobile", "desktop"), ""),
            "DeviceInfo": np.where(online, _named("d", columns["device"]), ""),
            "id_31": np.where(online, np.array(_BROWSERS)[columns["device"] % len(_BROWSERS)], ""),
            LABEL_COLUMN: (scenario > 0).astype(np.int64),
            "scenario": scenario,
        }
        return {**described, "seconds": columns["seconds"], "first_day": columns["first_day"]}


@dataclass(frozen=True, eq=False)
class _People:
    """What does not change from day to day, by customer and by terminal."""

    place: NDArray[np.float64]
    terminal_place: NDArray[np.float64]
    near: NDArray[np.int64]
    activity: NDArray[np.float64]
    mean_amount: NDArray[np.float64]
    online: NDArray[np.float64]
    address: NDArray[np.int64]
    devices: NDArray[np.int64]
    first_day: NDArray[np.int64]

    @classmethod
    def of(cls, world: World) -> _People:
        random = np.random.default_rng([world.seed, 9])
        n = world.customers
        household = random.integers(0, max(1, int(n / 1.6)), n)
        homes = random.random((household.max() + 1, 2))
        place, terminal_place = homes[household], random.random((world.terminals, 2))
        office = random.integers(0, max(1, n // 40), n)
        devices = np.column_stack([np.arange(n), n + household, n + household])
        at_office = random.random(n) < 0.25
        devices[at_office, 2] = 3 * n + office[at_office]
        return cls(
            place=place,
            terminal_place=terminal_place,
            near=_near(place, terminal_place, random),
            activity=random.gamma(2.0, 1.0, n),
            mean_amount=random.uniform(5, 100, n),
            online=random.beta(2, 2, n),
            address=household,
            devices=devices,
            first_day=-random.integers(0, 700, n),
        )


def rows_of(columns: Columns) -> Iterator[GeneratedTransaction]:
    """Return the rows of `World.day` or `World.table` one by one."""
    names = [*TRANSACTION_COLUMNS, *IDENTITY_COLUMNS[1:]]
    values = zip(*(columns[name].tolist() for name in names), strict=True)
    truth = zip(columns[LABEL_COLUMN].tolist(), columns["scenario"].tolist(), strict=True)
    for row, (fraud, scenario) in zip(values, truth, strict=True):
        fields = {name: value for name, value in zip(names, row, strict=True) if value != ""}
        yield GeneratedTransaction(fields, bool(fraud), SCENARIOS[scenario])


def _near(
    place: NDArray[np.float64], terminal_place: NDArray[np.float64], random: Generator, most: int = 20
) -> NDArray[np.int64]:
    """Return for each customer terminals to pay at: some of those that are near, or the nearest."""
    chosen = np.empty((len(place), min(most, len(terminal_place))), np.int64)
    for customer, at in enumerate(place):
        distance = np.hypot(*(terminal_place - at).T)
        near = np.flatnonzero(distance < _NEAR)
        chosen[customer] = random.choice(near if len(near) else [distance.argmin()], chosen.shape[1])
    return chosen


def _named(prefix: str, numbers: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return names that tell nothing of when an entity was made."""
    mixed = (numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(24)
    return np.array([f"{prefix}{value:010x}" for value in mixed.tolist()])


def world_of(seed: int, fraud_share: float) -> World:
    """Return the world of demo and simulation; the same seed has the same customers, whatever their share."""
    return World(seed=seed, fraud_share=fraud_share, customers=2_000, terminals=400, transactions_a_day=400.0)
