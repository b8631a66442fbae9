"""Days expire and their rollups outlive them; answers are read from both."""

import json
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from llmtel import reading
from llmtel.cli.app import run
from llmtel.pricing import book, cost
from llmtel.query.query import Query, run_many
from llmtel.store import retention
from llmtel.store.encryption import DEFAULT
from llmtel.store.read import stored
from llmtel.store.rekey import rekey
from llmtel.store.retention import expire
from llmtel.store.rewrite import compact
from llmtel.store.rollups import Prices, cells, roll_up
from llmtel.store.table import Refused, Table, opened

from .conftest import line

BOOK = book.load()
PRICES = Prices(lambda calls: cost.priced(calls, BOOK), BOOK.sha256)
SUMS = ("calls", "cost", "total_tokens", "errors", "mean_latency", "max_latency", "error_rate")
MIDDLE = date(2026, 9, 3)
"""Of five days, 1 to 5 September, the first that stays."""


def lines(first, last):
    return "".join(
        line(
            i,
            model=("gpt-4o", "gpt-5-mini")[i % 2],
            feature=f"f{i % 3}",
            status="error" if i % 9 == 0 else "ok",
        )
        for i in range(first, last)
    )


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(lines(0, 200))
    return path


@pytest.fixture
def filled(store, log):
    store.ingest(log)
    return store


def answers(folder, by, metrics=SUMS):
    found = stored(folder)
    table = run_many([Query(metrics, by=by)], cost.priced(found.calls, BOOK), found.cells)[0]
    return {tuple(row[name] for name in by): [row[metric] for metric in metrics] for row in table.rows}


def is_same(before, after, by=1e-9):
    return before.keys() == after.keys() and all(
        before[key] == pytest.approx(after[key], rel=by) for key in before
    )


@pytest.mark.parametrize("by", [(), ("model",), ("feature",), ("day",)], ids=str)
def test_what_expired_calls_came_to_stays(filled, by):
    before = answers(filled.folder, by)
    done = expire(filled.folder, MIDDLE, PRICES)
    assert (done.days, done.calls, done.rollups.calls) == (2, 80, 80)
    assert filled.calls["ts"].dt.date().min() == MIDDLE
    assert is_same(before, answers(filled.folder, by))


def test_a_second_expiry_doubles_nothing(filled):
    before = answers(filled.folder, ("day", "model"))
    for day in (2, 3, 3, 5):
        expire(filled.folder, date(2026, 9, day), PRICES)
        assert is_same(before, answers(filled.folder, ("day", "model")))
    assert set(filled.calls["ts"].dt.date()) == {date(2026, 9, 5)}


def test_a_rollup_beside_the_calls_of_its_day_changes_no_answer(filled, log):
    roll_up(filled.folder, PRICES)
    before = answers(filled.folder, ("day",), ("calls", "users"))
    log.write_text(lines(0, 230))
    filled.ingest(log)
    after = answers(filled.folder, ("day",), ("calls", "users"))
    assert [row[0] for row in before.values()] == [40] * 5
    assert [row[0] for row in after.values()] == [46] * 5
    assert all(row[1] for row in after.values())
    expire(filled.folder, MIDDLE, PRICES)
    assert [row[0] for row in answers(filled.folder, ("day",), ("calls",)).values()] == [46] * 5


def test_a_kill_between_the_two_commits_does_no_harm(filled, monkeypatch):
    before = answers(filled.folder, ("day", "feature"))
    commit = Table.commit

    def killed(table, added, removed=(), states=None, **options):
        if table.kind.name == "calls":
            raise KeyboardInterrupt
        commit(table, added, removed, states, **options)

    monkeypatch.setattr(Table, "commit", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            expire(filled.folder, MIDDLE, PRICES)
        assert filled.calls.height == 200
        assert is_same(before, answers(filled.folder, ("day", "feature")))
    monkeypatch.undo()
    expire(filled.folder, MIDDLE, PRICES)
    assert is_same(before, answers(filled.folder, ("day", "feature")))


def test_calls_that_come_while_a_rollup_is_made_are_in_it(filled, tmp_path, monkeypatch):
    late = tmp_path / "late.jsonl"
    late.write_text(lines(200, 210))
    make = retention.replaced
    seen = []

    def meanwhile(calls, files, prices):
        made = make(calls, files, prices)
        if not seen:
            filled.ingest(late, locked=False)
        seen.append(made.calls)
        return made

    monkeypatch.setattr(retention, "replaced", meanwhile)
    done = expire(filled.folder, MIDDLE, PRICES)
    assert seen == [80, 84]
    assert done.calls == 84
    assert answers(filled.folder, ())[()][0] == 210


def test_a_late_call_of_an_expired_day_is_counted_and_not_stored(filled, tmp_path):
    expire(filled.folder, MIDDLE, PRICES)
    compact(filled.folder)
    before = answers(filled.folder, ("day",))
    late = tmp_path / "late.jsonl"
    late.write_text(line(900, day=1) + line(901, day=2) + line(0))
    done = filled.ingest(late)
    assert (done.calls, done.expired, done.first_kept) == (0, 3, MIDDLE)
    assert is_same(before, answers(filled.folder, ("day",)))


def test_calls_of_unknown_time_never_expire(store, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text(line(0) + line(1, timestamp=None))
    store.ingest(log)
    expire(store.folder, date(2030, 1, 1), PRICES)
    assert store.calls["ts"].to_list() == [None]


def test_without_a_rollup_nothing_is_left_of_a_day(filled):
    roll_up(filled.folder, PRICES)
    expire(filled.folder, MIDDLE, None)
    assert answers(filled.folder, ())[()][0] == 120
    assert cells(opened(filled.folder)).is_empty()


def test_only_the_days_that_are_asked_for_are_rolled_up(filled):
    made = roll_up(filled.folder, PRICES, date(2026, 9, 2), date(2026, 9, 4))
    assert (made.days, made.calls) == (2, 80)


def test_files_of_a_rollup_name_no_user(filled):
    expire(filled.folder, date(2026, 9, 6), PRICES)
    files = [path for path in filled.folder.rglob("*") if path.is_file()]
    assert any("rollups/day=" in path.as_posix() for path in files)
    tables = [
        pl.read_parquet(path, hive_partitioning=False) for path in files if path.parent.name[:4] == "day="
    ]
    kept = {str(value) for frame in tables for texts in frame.select(pl.col(pl.String)) for value in texts}
    assert not kept & {f"u{i}" for i in range(7)}


@pytest.fixture
def llmtel(capsysbinary):
    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def test_an_answer_says_which_part_of_it_is_from_rollups(llmtel, filled):
    folder = filled.folder
    assert (
        "80 calls of 2 days before 2026-09-03 removed"
        in llmtel("store", "expire", folder, "--older-than", MIDDLE)[1]
    )
    answer = json.loads(llmtel("analyze", folder, "--by", "day", "--format", "json")[1])
    table = answer["tables"][1]
    assert [row["calls"] for row in table["rows"]] == [40] * 5
    assert table["columns"]["p95_latency"]["method"] == "histogram"
    assert table["columns"]["p95_latency"]["rel_error"] == pytest.approx(0.0108, abs=1e-4)
    assert (answer["rollups"]["calls"], answer["rollups"]["days"]) == (80, 2)
    assert answer["range"][0] == "2026-09-01T10:00:00+00:00"
    out = " ".join(llmtel("analyze", folder)[1].split())
    assert "200 calls" in out
    assert "80 calls of 2 days (1–2 Sep 2026) from rollups" in out
    assert "why costs changed and what of them is known (coverage) are told of the other calls alone" in out
    assert "stand under (unknown)" in " ".join(llmtel("analyze", folder, "--by", "user")[1].split())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("analyze", "--where", "user=u1"), "80 calls expired and left rollups, which have no user"),
        (("analyze", "--tz", "Asia/Kolkata"), "off by part of an hour"),
        (("analyze", "--since", "2026-09-01T10:02"), "take whole hours there"),
        (("analyze", "--by", "error"), "stand under rolled up"),
        (("analyze", "--cost", "logged"), "costs there are frozen"),
        (("calls",), "not in this: 80 calls of 2 days"),
        (("check",), "not in this: 80 calls of 2 days"),
        (("compare", "prev 3d"), "not in this: 80 calls of 2 days"),
    ],
    ids=str,
)
def test_what_rollups_do_not_tell_is_said(llmtel, filled, options, sentence):
    expire(filled.folder, MIDDLE, PRICES)
    name, *rest = options
    arguments = (name, *rest, filled.folder) if name == "compare" else (name, filled.folder, *rest)
    assert sentence in " ".join(llmtel(*arguments)[1].split())


@pytest.mark.parametrize(("fmt", "beside"), [("csv", True), ("jsonl", True), ("json", False)])
def test_rows_that_are_approximate_are_said_to_be_beside_them(llmtel, filled, fmt, beside):
    expire(filled.folder, MIDDLE, PRICES)
    told = llmtel("analyze", filled.folder, "--by", "model", "--format", fmt)[2]
    assert ("80 calls of 2 days (1–2 Sep 2026) from rollups: percentiles there within" in told) is beside


def test_windows_that_do_not_reach_into_rollups_are_not_talked_about(llmtel, filled):
    expire(filled.folder, MIDDLE, PRICES)
    assert "rollups" not in llmtel("compare", "prev 1d", filled.folder)[1]
    assert "rollups" not in llmtel("analyze", filled.folder, "--since", MIDDLE)[1]


def test_late_calls_stand_in_the_account(llmtel, filled, tmp_path):
    expire(filled.folder, MIDDLE, PRICES)
    late = tmp_path / "late.jsonl"
    late.write_text(line(900, day=1) + line(902, day=4))
    out = " ".join(llmtel("ingest", late, "--store", filled.folder)[1].split())
    assert "2 records = 1 call + 1 expired" in out
    assert "1 call is of days that have expired" in out


def test_what_the_configuration_keeps_no_longer_expires_at_ingest(llmtel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    now, log = datetime.now(UTC), tmp_path / "a.jsonl"
    log.write_text("".join(line(i, timestamp=(now - timedelta(days=i)).isoformat()) for i in range(20)))
    (tmp_path / "llmtel.yaml").write_text("privacy: {users: plain, retention: 7d}\n")
    for _ in range(2):
        out = " ".join(llmtel("ingest", log, "--store", "s")[1].split())
        assert ("12 calls of 12 days have expired" in out) == ("1 file," in out)
        found = stored(tmp_path / "s")
        assert found.calls.height == 8
        assert found.cells["calls_sum"].sum() == 12
    with log.open("a") as file:
        file.write(line(30, timestamp=(now - timedelta(days=9)).isoformat()))
    assert "1 expired" in llmtel("ingest", log, "--store", "s")[1]
    assert "0 calls" in llmtel("store", "expire", "s")[1]


def test_rollups_are_looked_at_verified_and_swept(llmtel, filled):
    for day in (2, 3):
        roll_up(filled.folder, PRICES, date(2026, 9, 2), date(2026, 9, 4))
        expire(filled.folder, date(2026, 9, day), PRICES)
    paths = list((filled.folder / "rollups").rglob("*.parquet"))
    assert len(paths) == 3  # vacuum took those that were replaced
    info = json.loads(llmtel("store", "info", filled.folder, "--format", "json")[1])
    assert (info["days"], info["rolled_up"]) == (3, 2)
    assert info["rollups"] == sum(path.stat().st_size for path in paths)
    assert "2 more days in rollups" in llmtel("store", "info", filled.folder)[1]
    assert llmtel("store", "verify", filled.folder)[0] == 0
    data = bytearray(paths[0].read_bytes())
    data[100] ^= 1
    paths[0].write_bytes(data)
    code, out, _ = llmtel("store", "verify", filled.folder)
    assert code == 3
    assert f"rollups/{paths[0].parent.name}/{paths[0].name}"[:40] in "".join(out.split())


def test_rollups_of_an_encrypted_store_are_encrypted_too(store, log, monkeypatch):
    monkeypatch.setenv(DEFAULT, bytes(range(32)).hex())
    store.ingest(log, encrypted=True)
    before = answers(store.folder, ("model",))
    expire(store.folder, MIDDLE, PRICES)
    paths = list((store.folder / "rollups").rglob("*.parquet"))
    assert len(paths) == 2
    assert not any(b"gpt-4o" in path.read_bytes() or b"model" in path.read_bytes() for path in paths)
    assert is_same(before, answers(store.folder, ("model",)))
    rekey(store.folder, None)
    monkeypatch.delenv(DEFAULT)
    assert is_same(before, answers(store.folder, ("model",)))


def test_the_columns_of_rollups_are_among_those_that_are_looked_at(llmtel, filled):
    expire(filled.folder, MIDDLE, PRICES)
    code, out, _ = llmtel("privacy", "check", filled.folder, "--format", "json")
    columns = {row["column"]: row for row in json.loads(out)["tables"][0]["rows"]}
    assert columns["rollups.feature"]["privacy"] == "internal"
    assert "rollups.user" not in columns
    assert code == 0


def test_costs_that_were_frozen_with_their_calls_stay_in_rollups(llmtel, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    llmtel("ingest", log, "--store", "s", "--freeze-cost")
    before = answers(tmp_path / "s", ("model",), ("calls", "cost"))
    dear = Prices(lambda calls: cost.priced(calls, book.load((), ("gpt-4o=1000/1000",))), "dear")
    assert expire(tmp_path / "s", date(2026, 10, 1), dear).calls == 200
    assert is_same(before, answers(tmp_path / "s", ("model",), ("calls", "cost")))


def test_how_old_must_be_said_somewhere(llmtel, filled):
    code, _, err = llmtel("store", "expire", filled.folder)
    assert code == 2
    assert "retention" in err


def test_a_store_whose_calls_have_all_expired_still_answers(llmtel, filled):
    expire(filled.folder, date(2026, 10, 1), PRICES)
    code, out, _ = llmtel("analyze", filled.folder)
    assert code == 0
    assert "200 calls" in out
    assert "no calls" not in out
    assert reading.of_store(opened(filled.folder)).calls.is_empty()


def test_a_refused_rollup_is_made_again(filled, monkeypatch):
    commit, refusals = Table.commit, []

    def refused(table, added, removed=(), states=None, **options):
        if table.kind.name == "rollups" and not refusals:
            refusals.append(1)
            table.discard(added)
            raise Refused
        commit(table, added, removed, states, **options)

    monkeypatch.setattr(Table, "commit", refused)
    assert roll_up(filled.folder, PRICES).days == 5
    assert refusals


def test_an_answer_of_rollups_alone_does_not_say_that_there_are_no_calls(filled, capsys):
    expire(filled.folder, date(2026, 9, 9), PRICES)
    assert run(["analyze", str(filled.folder), "--metrics", "calls"]) == 0
    out = capsys.readouterr().out
    assert "calls  200" in out
    assert "no calls" not in out
