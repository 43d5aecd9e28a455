"""
A shop's web pages, in the place of any site an agent reads: an invented one, with one list of lamps.
"""

from __future__ import annotations

from .wire import Answer, Asked

SITE = "https://shop.example"
LAMPS = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Lamps – Example Shop</title>
</head>
<body>
<nav><a href="/">Home</a> <a href="/lamps" aria-current="page">Lamps</a></nav>
<main id="offers">
<h1>Lamps</h1>
<p class="intro">All prices in €, tax included.</p>
<table class="prices">
<thead><tr><th>Lamp</th><th>Price</th><th>In stock</th></tr></thead>
<tbody>
<tr class="offer">
<td><a class="name" href="/lamps/1">Arc lamp “Møns Klint”</a></td><td class="price">1,249.50</td><td>3</td>
</tr>
<tr class="offer">
<td><a class="name" href="/lamps/2">Nachttischlämpchen</a></td><td class="price">24.90</td><td>40</td>
</tr>
<tr class="offer">
<td><a class="name" href="/lamps/3">Desk lamp</a></td><td class="price">89.00</td><td>12</td>
</tr>
</tbody>
</table>
</main>
</body>
</html>
"""


def answer(asked: Asked) -> Answer | None:
    """`GET /lamps`."""
    if (asked.method, asked.path) != ("GET", "/lamps"):
        return None
    return Answer((LAMPS.encode(),), 200, {"Content-Type": "text/html; charset=utf-8"})
