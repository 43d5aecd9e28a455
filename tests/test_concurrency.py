"""Many at once: every count of one plan is exact, whoever calls, from wherever, through the real clients."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from _loopback import Loopback
from _memory import KEEP, opened, says
from _project import Project

VENDOR = "https://api.vendor.example"
THREADS, TASKS, EXCHANGES = 32, 500, 10_000
STRIKES = 777


def both(**how: Any) -> tuple[Any, Any]:
    """A limit that strikes so often, and what is well otherwise."""
    return says(429, b"limited", headers=KEEP, times=STRIKES, **how), says(200, b"ok", headers=KEEP)


def test_threads_with_clients_of_their_own() -> None:
    """32 threads share one plan through three kinds of client, 10,000 exchanges in all."""
    together, each = Barrier(THREADS), EXCHANGES // THREADS

    def work(number: int) -> Counter[int]:
        kinds = (httpx.Client, requests.Session, httpx.Client)
        with kinds[number % 3]() as client:
            together.wait()
            return Counter(client.get(f"{VENDOR}/{number}/{n}").status_code for n in range(each))

    with opened(*both(), max_calls=EXCHANGES) as o, ThreadPoolExecutor(THREADS) as pool:
        found = sum(pool.map(work, range(THREADS)), Counter())
    exact(found, o.plan.log, {f"{VENDOR}/{number}/{n}" for number in range(THREADS) for n in range(each)})


def test_tasks_that_share_a_client() -> None:
    """500 tasks on one session and one client, 10,000 exchanges in all."""
    each = EXCHANGES // TASKS

    async def go() -> Counter[int]:
        limits = httpx.Limits(max_connections=None)
        async with aiohttp.ClientSession() as session, httpx.AsyncClient(limits=limits) as client:

            async def work(number: int) -> Counter[int]:
                got: Counter[int] = Counter()
                for n in range(each):
                    url = f"{VENDOR}/{number}/{n}"
                    if number % 5:
                        async with session.get(url) as reply:
                            await reply.read()
                            got[reply.status] += 1
                    else:
                        got[(await client.get(url)).status_code] += 1
                return got

            return sum(await asyncio.gather(*map(work, range(TASKS))), Counter[int]())

    with opened(*both(), max_calls=EXCHANGES) as o:
        found = asyncio.run(go())
    exact(found, o.plan.log, {f"{VENDOR}/{number}/{n}" for number in range(TASKS) for n in range(each)})


def exact(found: Counter[int], log: Any, urls: set[str]) -> None:
    """What the clients met is what was planned and what was kept, one by one."""
    asked = len(urls)
    assert found == {429: STRIKES, 200: asked - STRIKES}
    assert [len(log), sorted(x.number for x in log)] == [asked, list(range(1, asked + 1))]
    assert {x.request.url for x in log} == urls
    assert Counter(x.reply.status for x in log) == found
    assert sum(bool(x.struck) and x.reply.status == 429 for x in log) == STRIKES


@pytest.fixture
def plugins(project: Project) -> Project:
    """A project with the plugins of async tests."""
    project.ini("asyncio_mode = strict", "asyncio_default_fixture_loop_scope = function")
    return project


ASYNC = "import asyncio\nimport os\nimport time\n\nimport anyio\nimport httpx\nimport pytest\n\n"
URL = 'URL = os.environ["LOOPBACK"] + "/items"\n'
FETCH = """
async def fetch(client, sleep=asyncio.sleep):
    reply = await client.get(URL)
    while reply.status_code == 429:
        await sleep(float(reply.headers["retry-after"]))
        reply = await client.get(URL)
    return reply.json()["items"]
"""

HABITS: dict[str, str] = {
    "a_module_level_async_client_in_two_tests": """
        CLIENT = httpx.AsyncClient(timeout=60)

        @pytest.mark.asyncio
        @pytest.mark.parametrize("n", range(3))
        @pytest.mark.fault("any/rate-limit")
        async def test_it(n):
            assert await fetch(CLIENT) == [1, 2, 3]
    """,
    "a_cached_async_client_that_is_run_by_asyncio_run": """
        CLIENT = httpx.AsyncClient(timeout=60)

        @pytest.mark.parametrize("n", range(3))
        @pytest.mark.fault("any/rate-limit")
        def test_it(n):
            assert [asyncio.run(fetch(CLIENT)) for _ in range(2)] == [[1, 2, 3]] * 2
    """,
    "a_session_scoped_loop": """
        @pytest.fixture(scope="session")
        def client():
            return httpx.AsyncClient(timeout=60)

        @pytest.mark.asyncio(loop_scope="session")
        @pytest.mark.parametrize("n", range(3))
        @pytest.mark.fault("any/rate-limit")
        async def test_it(n, client):
            assert await fetch(client) == [1, 2, 3]
    """,
    "a_thread_pool_inside_an_async_test": """
        def blocking():
            with httpx.Client(timeout=60) as client:
                reply = client.get(URL)
                while reply.status_code == 429:
                    time.sleep(float(reply.headers["retry-after"]))
                    reply = client.get(URL)
                return reply.json()["items"]

        @pytest.mark.asyncio
        @pytest.mark.parametrize("n", range(3))
        @pytest.mark.fault("any/rate-limit")
        async def test_it(n):
            ways = (asyncio.to_thread(blocking), anyio.to_thread.run_sync(blocking), asyncio.to_thread(blocking))
            assert await asyncio.gather(*ways) == [[1, 2, 3]] * 3
    """,
    "a_wider_fixture_that_calls_at_set_up": """
        @pytest.fixture(scope="module")
        def token():
            return httpx.get(URL).json()["items"][0]

        @pytest.mark.asyncio
        @pytest.mark.parametrize("n", range(3))
        @pytest.mark.fault("any/rate-limit", after=1)
        async def test_it(n, token):
            assert token == 1
            async with httpx.AsyncClient(timeout=60) as client:
                assert [await fetch(client), await fetch(client)] == [[1, 2, 3]] * 2
    """,
    "an_async_fixture_that_calls_at_set_up": """
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def items():
            async with httpx.AsyncClient(timeout=60) as client:
                yield await fetch(client)

        @pytest.mark.asyncio
        @pytest.mark.parametrize("n", range(3))
        @pytest.mark.fault("any/rate-limit")
        async def test_it(n, items):
            assert items == [1, 2, 3]
    """,
}


@pytest.mark.parametrize("habit", HABITS)
def test_habits_of_real_suites(plugins: Project, server: Loopback, habit: str) -> None:
    """Clients, loops, threads and fixtures that outlive a test or were there before: each test meets its own fault."""
    above = ASYNC + URL + FETCH
    result = plugins.run(HABITS[habit], "-p", "pytest_asyncio.plugin", above=above)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*under faults: 3 recovered*"])
