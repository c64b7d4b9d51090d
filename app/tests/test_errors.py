"""Every error has a code, a rule, a line in the documents, and a test that meets it."""

import json
import re
from pathlib import Path

import pytest

from trading.errors import Degrade, NoData, TradingError, all_errors, error_name

ERRORS = list(all_errors())
TESTS = Path(__file__).parent
DOCUMENT = TESTS.parents[1] / "docs/errors.md"

CLASSES = {
    1: {Degrade.REFUSE},
    2: {Degrade.CACHED_DATA},
    3: {Degrade.SKIP_STRATEGY},
    4: {Degrade.ASK_PERSON, Degrade.STOP_TRADING},
    5: {Degrade.RETRY},
    6: {Degrade.REFUSE_AND_RECORD},
}


def _leaves() -> list[type[TradingError]]:
    return [kind for kind in ERRORS if not kind.__subclasses__()]


def test_there_are_thirty_codes_or_more_in_six_classes_and_none_twice() -> None:
    codes = [kind.code for kind in ERRORS]
    assert len(set(codes)) == len(codes) >= 30
    assert {code // 1000 for code in codes} == set(CLASSES)
    assert all(1000 <= code <= 6999 for code in codes)


@pytest.mark.parametrize("kind", ERRORS, ids=error_name)
def test_each_follows_the_rule_of_its_class(kind: type[TradingError]) -> None:
    assert kind.degrade in CLASSES[kind.code // 1000]
    assert kind.exit_code in {1, 2}
    assert 400 <= kind.http_status < 600
    with pytest.raises(kind) as caught:
        raise kind
    assert str(caught.value) == (kind.__doc__ or "").partition("\n")[0] != ""


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the application stands alone here")
def test_the_document_has_a_line_for_each_and_no_other() -> None:
    rows = re.findall(r"^\| (\d{4}) \| `(\w+)` \| (\d+) \| (\d) \| (.+?) \| (.+) \|$",
                      DOCUMENT.read_text(), re.MULTILINE)  # fmt: skip
    assert [row[:5] for row in rows] == [
        (
            str(kind.code),
            error_name(kind),
            str(kind.http_status),
            str(kind.exit_code),
            (kind.__doc__ or "").partition("\n")[0],
        )
        for kind in sorted(ERRORS, key=lambda kind: kind.code)
    ]


@pytest.mark.parametrize("kind", _leaves(), ids=error_name)
def test_each_is_met_by_a_test(kind: type[TradingError]) -> None:
    """By its class, its name or its code, in any test but this one."""
    words = re.compile(rf"\b({kind.__name__}|{error_name(kind)}|{kind.code})\b")
    texts = (file.read_text() for file in TESTS.rglob("test_*.py") if file != Path(__file__))
    assert any(words.search(text) for text in texts)


def test_an_error_reads_for_machines_and_for_people() -> None:
    error = NoData("there are no bars of ABC; choose another symbol", symbol="ABC", bars=0)
    assert str(error) == "there are no bars of ABC; choose another symbol"
    assert error.machine() == "NO_DATA: symbol=ABC, bars=0"
    assert json.loads(json.dumps(error.as_dict())) == {
        "error": "NO_DATA",
        "code": 2001,
        "message": "there are no bars of ABC; choose another symbol",
        "degrade": "go on with the data already stored",
        "fields": {"symbol": "ABC", "bars": 0},
    }
