"""What a receipt or an invoice says, apart from how it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlmops.demo.page import Cell, Row, centred, plain, rule, spread

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Item:
    """One bought thing; ``price`` is the amount at the end of its line, for the whole quantity."""

    name: str
    quantity: int
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a receipt says, apart from how it is laid out.

    Attributes:
        merchant: The shop.
        address: Lines under the name.
        date: ISO date, the ground truth.
        printed_date: The line on which the date is printed, in the shop's own way.
        items: What was bought; their prices add up to the total together with ``extras``.
        total_label: What stands before the total.
        currency: How an amount is printed, ``"{}"`` stands for the number.
        decimal: The decimal sign.
        included: Lines under the total, label and amount.
        closing: The last line.
    """

    merchant: str
    address: Sequence[str]
    date: str
    printed_date: str
    items: Sequence[Item]
    subtotal_label: str = ""
    extras: Sequence[tuple[str, float]] = ()
    total_label: str = "TOTAL"
    currency: str = "{}"
    decimal: str = "."
    included: Sequence[tuple[str, float]] = field(default=())
    closing: str = "Thank you for your visit"

    @property
    def total(self) -> float:
        """Sum of items and extras."""
        return round(sum(item.price for item in self.items) + sum(amount for _, amount in self.extras), 2)

    @property
    def fields(self) -> dict[str, Any]:
        """The ground truth."""
        return {
            "merchant": self.merchant,
            "date": self.date,
            "total": self.total,
            "items": [
                {"name": item.name, "quantity": item.quantity, "price": item.price} for item in self.items
            ],
        }

    def amount(self, number: float) -> str:
        """A number as the shop prints it."""
        return self.currency.format(f"{number:.2f}".replace(".", self.decimal))

    def rows(self) -> list[Row]:
        """The receipt as a till prints it."""
        head = [centred(self.merchant, size=1.35, bold=True), *(centred(line) for line in self.address)]
        body = [spread(_counted(item), self.amount(item.price)) for item in self.items]
        extras = [spread(label, self.amount(amount)) for label, amount in self._between()]
        included = [spread(label, self.amount(amount)) for label, amount in self.included]
        total = spread(self.total_label, self.amount(self.total), size=1.2, bold=True)
        date = centred(self.printed_date)
        foot = [centred(self.closing)]
        return [*head, date, rule(), *body, rule(), *extras, total, *included, plain(), *foot]

    def invoice_rows(self, number: str) -> list[Row]:
        """The same content as an invoice with a table."""
        heading = (Cell("Description"), Cell("Qty", 0.64, "right"), Cell("Price", 0.82, "right"))
        rows = [
            plain(self.merchant, size=1.5, bold=True),
            *(plain(line) for line in self.address),
            plain(),
            spread(f"Invoice {number}", self.printed_date),
            rule(),
            Row((*heading, Cell("Amount", 1.0, "right")), bold=True),
        ]
        rows += [self._table_row(item) for item in self.items]
        rows += [rule(), *(spread(label, self.amount(amount)) for label, amount in self.extras)]
        rows += [spread(self.total_label, self.amount(self.total), size=1.15, bold=True), plain()]
        return [*rows, plain(self.closing)]

    def _between(self) -> list[tuple[str, float]]:
        subtotal = (self.subtotal_label, sum(item.price for item in self.items))
        return [*([subtotal] if self.subtotal_label else []), *self.extras]

    def _table_row(self, item: Item) -> Row:
        each = self.amount(item.price / item.quantity)
        middle = (Cell(str(item.quantity), 0.64, "right"), Cell(each, 0.82, "right"))
        return Row((Cell(item.name), *middle, Cell(self.amount(item.price), 1.0, "right")))


def _counted(item: Item) -> str:
    return f"{item.quantity} x {item.name}" if item.quantity > 1 else item.name
