"""What all tests of SDKs share: the verdict on a case, once its test is over, and clients that are made fast."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme
from _cases import Case, as_the_table_says


@pytest.fixture(autouse=True, scope="module")
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One certificate authority to load instead of 150, hundreds of times: in memory none is ever asked for."""
    bundle = tmp_path_factory.mktemp("authority") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(bundle)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            patch.setenv(name, str(bundle))
        patch.delenv("SSL_CERT_DIR", raising=False)
        yield


@pytest.fixture(autouse=True)
def _as_the_table_says(request: pytest.FixtureRequest) -> Iterator[None]:
    """The verdict on a case: its calls, its waits, its outcome."""
    case = getattr(request.node, "callspec", None) and request.node.callspec.params.get("case")
    if not isinstance(case, Case):
        yield
        return
    faults = request.getfixturevalue("faults")
    yield
    as_the_table_says(case, faults)
