"""Continuous access evaluation: Graph's claims challenge to a good token, against Microsoft's own clients."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import pytest
import yaml
from _shapes import exchange

from pytest_agentfault._run import Faults

URL: Final = "https://graph.microsoft.com/v1.0//users/adele"  # msgraph-sdk doubles the slash
ME: Final = "https://graph.microsoft.com/v1.0/me"
USER: Final = {"@odata.type": "#microsoft.graph.user", "id": "87d349ed", "displayName": "Adele Vance"}
TENANT: Final = "11111111-2222-3333-4444-555555555555"
LOGIN: Final = f"https://login.microsoftonline.com/{TENANT}"
ENDPOINTS: Final = {
    "authorization_endpoint": f"{LOGIN}/oauth2/v2.0/authorize",
    "token_endpoint": f"{LOGIN}/oauth2/v2.0/token",
    "issuer": f"{LOGIN}/v2.0",
}
pytestmark = [
    pytest.mark.filterwarnings("ignore:GetQueryParameters is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning"),
]


def tape(folder: Path) -> str:
    """A recording of one user, at both addresses, and of an endpoint that gives two tokens."""
    path = folder / "tape.yaml"
    kept = [exchange("GET", url, USER) for url in (URL, ME) for _ in range(3)]
    kept += [exchange("GET", f"{LOGIN}/v2.0/.well-known/openid-configuration", ENDPOINTS)]
    kept += [
        exchange(
            "POST", ENDPOINTS["token_endpoint"], {"token_type": "Bearer", "expires_in": 3599, "access_token": name}
        )
        for name in ("old", "new")
    ]
    path.write_text(yaml.dump({"version": 1, "interactions": kept}), encoding="utf-8")
    return str(path)


class Credential:
    """A credential that keeps what it is asked for.

    Args:
        heeds: whether claims make it give another token than the one it has.
    """

    def __init__(self, heeds: bool = True) -> None:
        self.heeds = heeds
        self.asked: list[dict[str, Any]] = []

    def get_token(self, *scopes: str, **words: Any) -> Any:
        """The token of its cache, or a new one."""
        from azure.core.credentials import AccessToken

        self.asked.append({"scopes": scopes, **words})
        return AccessToken("new" if words.get("claims") and self.heeds else "old", int(time.time()) + 3600)

    def close(self) -> None:
        """Nothing is held."""

    @property
    def claims(self) -> list[Any]:
        """The claims of each time it was asked."""
        return [asked.get("claims") and json.loads(asked["claims"]) for asked in self.asked]


def by_msgraph(credential: Any) -> Any:
    """A user, by Graph's SDK."""
    msgraph = pytest.importorskip("msgraph", reason="`make sdks` has it")

    async def call() -> Any:
        return (await msgraph.GraphServiceClient(credential).users.by_user_id("adele").get()).display_name

    return asyncio.run(call())


def by_azure_core(credential: Any) -> Any:
    """The same user, by the pipeline under Microsoft's other SDKs."""
    pytest.importorskip("azure.core", reason="`make sdks` has it")
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy
    from azure.core.rest import HttpRequest

    policy = BearerTokenCredentialPolicy(credential, "https://graph.microsoft.com/.default", enable_cae=True)
    with PipelineClient("https://graph.microsoft.com", policies=[policy]) as client:
        reply = client.send_request(HttpRequest("GET", ME))
        reply.raise_for_status()
        return reply.json()["displayName"]


def tokens(faults: Faults) -> list[tuple[str, int | None]]:
    """Each request: its token, and the status."""
    return [(x.request.header("authorization").removeprefix("Bearer "), x.reply.status) for x in faults.log]


def challenged(faults: Faults) -> Any:
    """The claims of the challenge, decoded."""
    said = re.search('claims="([^"]+)"', faults.log[0].reply.header("www-authenticate"))
    assert said
    return json.loads(base64.b64decode(said[1]))


CLIENTS: Final = {"msgraph": by_msgraph, "azure-core": by_azure_core}
RAISES: Final = {"msgraph": "ODataError", "azure-core": "HttpResponseError"}


@pytest.mark.parametrize("name", CLIENTS)
def test_the_sdk_asks_its_credential_with_the_claims(faults: Faults, tmp_path: Path, name: str) -> None:
    """It decodes them, asks for another token with them, and sends the call once more: the caller notices nothing."""
    faults.add("graph/claims-challenge", cassette=tape(tmp_path))
    credential = Credential()
    assert CLIENTS[name](credential) == "Adele Vance"
    assert tokens(faults) == [("old", 401), ("new", 200)]
    assert credential.claims == [None, challenged(faults)]
    assert [asked["enable_cae"] for asked in credential.asked] == [True, True]


@pytest.mark.parametrize("name", CLIENTS)
def test_azure_identity_goes_past_its_cache(faults: Faults, tmp_path: Path, name: str) -> None:
    """The token it has is good for an hour; with claims it asks the endpoint all the same, and tells it the claims."""
    identity = pytest.importorskip("azure.identity", reason="`make sdks` has it")
    faults.add("graph/claims-challenge", cassette=tape(tmp_path))
    with identity.ClientSecretCredential(TENANT, "app", "secret") as credential:
        assert CLIENTS[name](credential) == "Adele Vance"
    asked = [json.loads(parse_qs(x.request.body.decode())["claims"][0]) for x in faults.log if x.request.body]
    answered = [(token, status) for token, status in tokens(faults) if token]
    assert answered == [("old", 401), ("new", 200)]
    assert ["acrs" in claims["access_token"] for claims in asked] == [False, True]
    assert asked[1]["access_token"]["acrs"] == {"essential": True, "value": "cp1"}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_credential_that_does_not_heed_them_is_refused_for_good(faults: Faults, tmp_path: Path, name: str) -> None:
    """The token of its cache again is refused again, and the SDK surfaces that instead of going round."""
    faults.add("graph/claims-challenge", cassette=tape(tmp_path))
    credential = Credential(heeds=False)
    with pytest.raises(Exception, match="Continuous access evaluation resulted in challenge") as caught:
        CLIENTS[name](credential)
    assert type(caught.value).__name__ == RAISES[name]
    assert tokens(faults) == [("old", 401)] * 2
    assert credential.claims == [None, challenged(faults)]


@pytest.mark.parametrize("name", CLIENTS)
def test_without_claims_there_is_nothing_to_ask_for(faults: Faults, tmp_path: Path, name: str) -> None:
    """An expired token is no challenge: the SDK surfaces it at once."""
    faults.add("graph/expired-token", cassette=tape(tmp_path))
    credential = Credential()
    with pytest.raises(Exception, match="the token is expired") as caught:
        CLIENTS[name](credential)
    assert type(caught.value).__name__ == RAISES[name]
    assert tokens(faults) == [("old", 401)]
    assert credential.claims == [None]
