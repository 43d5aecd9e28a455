"""A team's own vendor under its own failures: scenarios in TOML, and a fault in ten lines of Python."""

from __future__ import annotations

import pytest

from lost_digits import LostDigits
from parcels import ParcelError, label, where_is

pytestmark = pytest.mark.vcr
LABELS = "POST https://api.parcel.example/v1/labels"


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """One folder for all tests."""
    return str(request.path.with_name("cassettes"))


@pytest.mark.default_cassette("where_is")
@pytest.mark.fault_matrix("parcel/depot-closed")
def test_where_is() -> None:
    """As it is, and with a closed depot: the client comes again when it is told to."""
    assert where_is("42") == "Köln"


@pytest.mark.default_cassette("where_is")
@pytest.mark.fault("parcel/depot-closed", times=3, raises=ParcelError)
def test_depot_stays_closed() -> None:
    """Three times is too often."""
    where_is("42")


@pytest.mark.default_cassette("label")
@pytest.mark.fault("parcel/no-such-street", raises=pytest.RaisesExc(ParcelError, match="17: no such street"))
def test_no_such_street() -> None:
    """A refusal inside a 200 surfaces with Parcel's own number, and is not sent again."""
    label("Ada, Köln")


@pytest.mark.default_cassette("label")
@pytest.mark.fault(LostDigits(kept=2), to=LABELS, raises=ParcelError)
def test_label_with_lost_digits() -> None:
    """A label whose number is too short is not given out."""
    label("Ada, Köln")
