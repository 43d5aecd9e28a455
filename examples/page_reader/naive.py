"""
A reader of a shop's page as it is written on the day the page looks like this.

It finds everything by the names of classes and the number of a column, and takes a page without offers for a
shop without lamps. On its recording it is right.
"""

from __future__ import annotations

import httpx
from bs4 import BeautifulSoup

SITE = "https://shop.example"


def cheapest(site: str = SITE) -> str | None:
    """The name of the cheapest lamp; None: the shop has none."""
    soup = BeautifulSoup(httpx.get(f"{site}/lamps").text, "html.parser")
    prices = {}
    for row in soup.select("#offers > table.prices tr.offer"):
        name, price, _ = (cell.get_text() for cell in row.select("td")[:3])
        prices[name] = float(price.replace(",", ""))
    return min(prices, key=prices.__getitem__, default=None)
