"""
The same reader, by what the page says: a table with a column `Lamp` and a column `Price`, wherever it stands.

A page that has no such table is not a shop without lamps: it is another page, and the error says which.
"""

from __future__ import annotations

import httpx
from bs4 import BeautifulSoup, Tag

SITE = "https://shop.example"


class NotThePage(Exception):
    """The site gave something else than the list of lamps; the text says what."""


def cheapest(site: str = SITE) -> str | None:
    """The name of the cheapest lamp; None: the shop has none.

    Raises:
        NotThePage: a wall, a challenge, an empty shell, or a page in another language.
    """
    reply = httpx.get(f"{site}/lamps")
    soup = BeautifulSoup(reply.content, "html.parser")  # the bytes: the page knows its charset better than the head
    if reply.status_code != 200:
        raise NotThePage(f"{reply.status_code}, {_what(soup)}")
    for table in soup.find_all("table"):
        rows = [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]
        if rows and {"Lamp", "Price"} <= set(rows[0]):
            name, price = rows[0].index("Lamp"), rows[0].index("Price")
            prices = {row[name]: _number(row[price]) for row in rows[1:]}
            return min(prices, key=prices.__getitem__, default=None)
    raise NotThePage(f"no table of lamps and prices, {_what(soup)}")


def _number(text: str) -> float:
    whole, point, decimals = text.rpartition(".")
    if not point or len(decimals) != 2:
        raise NotThePage(f"this is no price as the shop writes it: {text}")
    return float(f"{whole.replace(',', '')}.{decimals}")


def _what(soup: BeautifulSoup) -> str:
    html = soup.html
    language = html.get("lang") if isinstance(html, Tag) else None
    return f"in a page called {soup.title.get_text(strip=True) if soup.title else 'nothing'!r} in {language}"
