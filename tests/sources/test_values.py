"""Times of every accepted form are the same instant; what a field cannot hold is told."""

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.core.schema import FIELDS, TIME
from llmtel.sources import native, values
from llmtel.sources.values import limits, times

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def read(*texts):
    found, assumed = times(pl.Series("ts", texts, dtype=pl.String))
    assert found.dtype == TIME
    return found.to_list(), assumed


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01T12:00:00Z", "2026-09-01T12:00:00z", "2026-09-01t12:00:00Z",
        "2026-09-01T12:00:00.000000000Z",
        "2026-09-01 12:00:00Z", "2026-09-01T12:00:00,000Z", "2026-09-01T14:00:00,000+02:00",
        "2026-09-01T12:00:00+00:00", "2026-09-01T14:00:00+02:00",
        "2026-09-01T14:00:00+0200", "2026-09-01T14:00:00+02", "2026-09-01T04:30:00-07:30",
        "2026-09-01 14:00:00+02:00", "2026-09-01 14:00:00 +0200", "2026-09-01T14:00+02:00",
        "2026-09-01 14:00+02:00", "2026-09-01 12:00:00 UTC", "  2026-09-01T12:00:00Z ",
        "1788264000", "1788264000.0", "1.788264e9", "1788264000000", "1788264000000000",
        "1788264000000000000",
        "639238608000000000",
    ],
)  # fmt: skip
def test_a_time_that_says_its_offset_is_read_in_utc(text):
    assert read(text) == ([NOON], 0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01T12:00:00", "2026-09-01 12:00:00", "2026-09-01 12:00:00,000", "2026-09-01T12:00:00.000",
        "2026-09-01 12:00:00.000000000",
        "2026-09-01T12:00", "2026-09-01 12:00",
    ],
)  # fmt: skip
def test_a_time_without_an_offset_is_utc_and_counted(text):
    assert read(text) == ([NOON], 1)


def test_a_date_alone_is_its_midnight_in_utc():
    assert read("2026-09-01") == ([datetime(2026, 9, 1, tzinfo=UTC)], 1)


@pytest.mark.parametrize("digits", range(1, 13))
def test_any_number_of_fraction_digits_is_read_and_cut_at_microseconds(digits):
    fraction = "987654321987"[:digits]
    micros = int(fraction[:6].ljust(6, "0"))
    assert read(f"2026-09-01T12:00:00.{fraction}Z") == ([NOON + timedelta(microseconds=micros)], 0)


def test_fractions_of_epoch_seconds_and_milliseconds_are_kept():
    assert read("1788264000.25", "1788264000000.5") == (
        [NOON + timedelta(milliseconds=250), NOON + timedelta(microseconds=500)], 0,
    )  # fmt: skip


def test_a_leap_second_is_the_second_after_it():
    after = datetime(2017, 1, 1, tzinfo=UTC)
    assert read("2016-12-31T23:59:60Z", "2016-12-31 23:59:60") == ([after, after], 1)


@pytest.mark.parametrize(
    ("number", "year"),
    [
        ("99999999999", 5138), ("100000000000", 1973), ("99999999999999", 5138), ("100000000000000", 1973),
        ("99999999999999000", 5138), ("100000000000000000", 1973), ("635536032000000000", 2014),
        ("661000000000000000", 1990),
    ],
)  # fmt: skip
def test_the_size_of_an_epoch_number_tells_its_unit(number, year):
    (found,), _ = read(number)
    assert found.year == year


@pytest.mark.parametrize(
    "text",
    ["", "  ", "tomorrow", "2026-13-01T00:00:00Z", "2026-02-30", "5/1/25", "2026-09-01T24:00:00Z", "1.2.3",
    "..",
     "99999999999999999999", "1e400", "2026-09-01T12:00:00Z and more"],
)  # fmt: skip
def test_what_is_no_time_is_unknown(text):
    assert read(text) == ([None], 0)


def test_a_form_is_read_alike_whatever_stands_beside_it():
    texts = ["2026-09-01T12:00:00Z", None, "1788264000", "2026-09-01 12:00", "tomorrow", ""]
    assert read(*texts) == ([NOON, None, NOON, NOON, None, None], 1)


@settings(deadline=None)
@given(
    st.datetimes(NOON.replace(tzinfo=None, year=2015), NOON.replace(tzinfo=None, year=2100)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
    st.sampled_from(["microseconds", "milliseconds", "seconds"]),
)
def test_every_offset_gives_the_instant_that_it_means(local, minutes, separator, precision):
    moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = moment.isoformat(separator, timespec=precision)
    assert read(text) == ([datetime.fromisoformat(text).astimezone(UTC)], 0)


def unusable(name, values):
    frame = pl.DataFrame({name: values}, schema={name: FIELDS[name].dtype})
    return frame.select(limits(name)).to_series().to_list()


def test_times_before_2015_or_after_tomorrow_cannot_be_used():
    now = datetime.now(UTC)
    values = [
        datetime(2014, 12, 31, tzinfo=UTC),
        datetime(2015, 1, 1, tzinfo=UTC),
        now,
        now + timedelta(days=2),
    ]
    assert unusable("ts", values) == [True, False, False, True]


def test_negative_counts_and_endless_numbers_cannot_be_used():
    assert unusable("input_uncached", [-1, 0, 5, None]) == [True, False, False, None]
    assert unusable("latency_ms", [-0.1, 0.0, float("inf"), float("nan")]) == [True, False, True, True]


def test_a_rating_may_be_negative():
    assert unusable("rating", [-1.0, float("inf")]) == [False, True]


def test_texts_have_no_limits():
    assert limits("model") is None


@pytest.mark.parametrize("suffix", ["", "Z", "+00:00"])
@pytest.mark.parametrize("fraction", ["", ".123", ".123456", ".1234567", ".123456789"])
@given(separator=st.sampled_from("T "), data=st.data())
def test_times_of_the_commonest_widths_are_read_like_all_others(separator, fraction, suffix, data):
    form = f"2026-09-01{separator}12:34:56{fraction}{suffix}"
    place = data.draw(st.integers(0, len(form) - 1))
    changed = form[:place] + data.draw(st.sampled_from("0123456789-:.TZ %+a")) + form[place + 1 :]
    own = times(pl.Series([form]))[1]
    for texts in ([form, changed], [changed, form]):
        (together, assumed), (alone, apart) = times(pl.Series(texts)), times(pl.Series([changed, "1 Jan"]))
        assert together.to_physical()[texts.index(changed)] == alone.to_physical()[0]
        assert assumed == own + apart


@pytest.mark.skipif(not native.is_there(), reason="llmtel was installed without a Rust compiler")
@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.from_regex(
                r"(20[12]\d|2100|9999)-(0[0-39]|1[0-3])-([0-3]\d)[T ]([01]\d|2[0-4]):[0-6]\d:[0-6]\d"
                r"(\.\d{0,10})?(Z|[+-](\d\d|24):[0-6]\d|\+0530| UTC|z)?",
                fullmatch=True,
            ).filter(str.isascii),
            st.sampled_from(["", " ", "x", "1788264000", "2026-09-01T12:00:00Zé", "2026-02-29T00:00:00Z"]),
        ),
        max_size=6,
    ),
    st.integers(0, 5),
)
def test_the_machine_code_reads_the_times_that_are_read_without_it(texts, skipped):
    column = pl.concat(
        [pl.Series("ts", texts, dtype=pl.String), pl.Series("ts", texts[::-1], dtype=pl.String)]
    )
    column = column.slice(skipped)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values.native, "times", lambda _: None)
        without, assumed = times(column)
    found, counted = times(column)
    assert (found.to_list(), counted) == (without.to_list(), assumed)


@pytest.mark.skipif(not native.is_there(), reason="llmtel was installed without a Rust compiler")
def test_the_machine_code_knows_the_commonest_times_and_leaves_others():
    known = ["2026-09-01T12:00:00Z", "2026-09-01 12:00:00.5", None, "2026-09-01T14:00:00.123456789+02:00"]
    other = [
        "2014-09-01T12:00:00Z",
        "2026-09-01",
        "1788264000",
        "2026-09-01T12:00:60Z",
        "2026-02-30T12:00:00Z",
    ]
    found, assumed = native.times(pl.Series("ts", known + other))
    assert found.dtype == TIME
    assert found.name == "ts"
    assert found.to_list() == [
        NOON,
        NOON + timedelta(milliseconds=500),
        None,
        NOON + timedelta(microseconds=123456),
        *[None] * len(other),
    ]
    assert assumed == 1
