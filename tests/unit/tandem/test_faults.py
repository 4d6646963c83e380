import pytest

from tandem.faults import Fault, Faults, never_met
from tfx.errors import UsageError


@pytest.mark.parametrize(
    ("written", "meant", "why"),
    [
        ("pump-logs:2:500", Fault(endpoint="pump-logs", nth=2, kind="500"), "the example of the help"),
        ("any:1:late=2.5", Fault(nth=1, kind="late=2.5"), "a kind with a number"),
        ("any:1:403-waf", Fault(nth=1, kind="403-waf"), "a kind with a dash"),
        ("login:3+:429", Fault(endpoint="login", nth=3, kind="429", onwards=True), "from the third on"),
    ],
)
def test_a_fault_is_read(written: str, meant: Fault, why: str) -> None:
    assert Fault.parse(written) == meant, why


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("pump-logs:500", "cannot read the fault 'pump-logs:500'; write it as ENDPOINT:N:KIND, for example pump-logs:2:500"),
        ("pump-logs:x:500", "cannot read the fault 'pump-logs:x:500'; write it as ENDPOINT:N:KIND, for example pump-logs:2:500"),
        ("any:0:500", "requests are counted from 1, not 0"),
        ("any:1:200", "no fault is called '200'; it is one of: "),
        ("any:1:late=", "no fault is called 'late='; it is one of: "),
        ("pumplogs:1:500", "no endpoint is called 'pumplogs'; it is one of: any, sso-page, "),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_what_can(written: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        Fault.parse(written)
    assert str(caught.value).startswith(says)


def test_what_was_read_is_written_the_same() -> None:
    for written in ("pump-logs:2:500", "any:1+:403-waf", "login:3:late=2.5"):
        assert str(Fault.parse(written)) == written


def test_faults_that_befell_nothing_are_known() -> None:
    faults = Faults([Fault(endpoint="jwks", kind="500"), Fault(endpoint="jwks", nth=3, kind="reset")])
    faults.next("jwks")
    assert list(map(str, faults.idle)) == ["jwks:3:reset"]
    assert never_met(faults.idle, "the cassette").startswith(
        "the fault jwks:3:reset was never met: the cassette got fewer requests; remove"
    )
    assert never_met(["a:1:500", "b:1:500"], "it").startswith(
        "the faults a:1:500, b:1:500 were never met: it got fewer requests; remove the faults,"
    )


def test_requests_are_counted_by_endpoint_and_all_together() -> None:
    faults = Faults([Fault(endpoint="jwks", nth=2, kind="500"), Fault(nth=4, kind="reset")])
    assert [faults.next(name) for name in ("jwks", "login", "jwks", "login", "jwks")] == [None, None, "500", "reset", None]


def test_onwards_means_every_later_one() -> None:
    faults = Faults([Fault(endpoint="jwks", nth=2, kind="503", onwards=True)])
    assert [faults.next("jwks") for _ in range(4)] == [None, "503", "503", "503"]


def test_the_first_row_of_the_table_wins() -> None:
    faults = Faults([Fault(nth=1, kind="401"), Fault(endpoint="jwks", nth=1, kind="500")])
    assert faults.next("jwks") == "401"
