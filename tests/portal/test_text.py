"""Words for moments and lists."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portal import text
from portal.text import fold


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=5), "Just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(days=1), "Yesterday"),
        (timedelta(days=5), "5 days ago"),
        (timedelta(days=21), "3 weeks ago"),
        (timedelta(seconds=-30), "Just now"),
        # A clock was wrong once: only the moment itself is certain.
        (timedelta(days=-1), "16/06/2026 15:30"),
    ],
)
def test_moments_of_the_last_month_are_relative(
    monkeypatch: pytest.MonkeyPatch, passed: timedelta, words: str
) -> None:
    now = datetime(2026, 6, 15, 15, 30, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert text.ago(now - passed) == words


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": [1, "ö", "\n"]}, r'{"a": [1, "ö", "\n"]}'),
        ("\u202eevil\x7f\u2028", r'"\u202eevil\u007f\u2028"'),
        ("\U000e0041\ue000", r'"\udb40\udc41\ue000"'),
        ("👩\u200d🚀", '"👩\u200d🚀"'),
    ],
)
def test_json_for_people_has_no_hidden_characters(value: object, written: str) -> None:
    assert text.json_text(value) == written
    assert json.loads(written) == value


def test_json_for_people_can_have_lines() -> None:
    assert text.json_text({"a": "\u200b"}, indent=2) == '{\n  "a": "\\u200b"\n}'


def test_json_for_programs_is_written_alike_beside_numbers_of_any_size() -> None:
    value = {"at": datetime(2021, 5, 18, 4, 28, 1, 9, tzinfo=UTC), "of": Decimal("1.50"), "é": "ü"}
    assert text.json_bytes(value) == (
        b'{"at":"2021-05-18T04:28:01+00:00","of":"1.50","\xc3\xa9":"\xc3\xbc"}'
    )
    small, large = (text.json_bytes({**value, "n": number}) for number in (1, 10**30))
    assert large == small.replace(b'"n":1', b'"n":1' + b"0" * 30)


def test_older_moments_are_dates_and_nothing_is_never() -> None:
    assert text.ago(datetime(2021, 5, 18, 4, 28, tzinfo=UTC)) == "18/05/2021 04:28"
    assert text.ago(None) == "Never"


def test_a_moment_of_today_is_a_time_and_any_other_a_day_too() -> None:
    noon = datetime(2020, 11, 27, 12, 5, 31, tzinfo=UTC)
    assert text.clock(noon) == "27/11/2020 12:05"
    assert text.clock(noon, seconds=True) == "27/11/2020 12:05:31"
    now = timezone.now()
    with timezone.override("Pacific/Kiritimati"):
        assert text.clock(now) == f"{timezone.localtime(now):%H:%M}"
        assert text.clock(now, seconds=True) == f"{timezone.localtime(now):%H:%M:%S}"
        for day in (now - timedelta(days=1), now + timedelta(days=1)):
            assert text.clock(day) == text.day_and_time(day)


def test_a_day_and_how_long_ago_it_was_become_one_moment_after_a_month() -> None:
    recent = timezone.now() - timedelta(days=5)
    assert text.day_and_ago(recent) == f"{text.day(recent)} (5 days ago)"
    assert text.day_and_ago(datetime(2021, 5, 18, 4, 28, tzinfo=UTC)) == "18/05/2021 04:28"


@pytest.mark.parametrize(
    ("words", "joined"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists_read_like_sentences(words: list[str], joined: str) -> None:
    assert text.join(words) == joined


@pytest.mark.parametrize(
    ("one", "other"),
    [("Straße", "STRASSE"), ("ＥＲＰ", "erp"), ("Ångström", "ÅNGSTRÖM"), ("ﬁ", "FI")],
)
def test_texts_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 ms"),
        (142, "142 ms"),
        (999, "999 ms"),
        (999.6, "1 s"),
        (1000, "1 s"),
        (1900, "1.9 s"),
        (20_004, "20 s"),
        (1_234_567, "1,234.6 s"),
    ],
)
def test_times_to_answer_are_short(milliseconds: float, words: str) -> None:
    assert text.took(milliseconds) == words
