"""How the file of a store is opened, and who may write it."""

import sqlite3
from contextlib import closing

import pytest

from fcnn_latency import StoreError
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement._store_file import check_store


@pytest.fixture
def path(tmp_path):
    """An empty store."""
    path = tmp_path / "latencies.sqlite"
    Store(path).close()
    return path


def pragma(path, name):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_file_says_whose_it_is(path):
    assert pragma(path, "application_id") == int.from_bytes(b"FCNL", "big")
    assert pragma(path, "user_version") == 1
    assert pragma(path, "journal_mode") == "wal"


@pytest.mark.parametrize("name", ["a.sqlite", "a.sqlite3", "a.db", "a.DB"])
def test_names_of_stores_are_accepted(tmp_path, name):
    assert check_store(tmp_path / name) == tmp_path / name
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.sqlite4", "a.db.csv", "sqlite"])
def test_other_names_are_not(tmp_path, name):
    with pytest.raises(StoreError, match="ends in"):
        check_store(tmp_path / name)


def test_folder_is_no_store(tmp_path):
    (tmp_path / "folder.sqlite").mkdir()
    with pytest.raises(StoreError, match="ends in"):
        check_store(tmp_path / "folder.sqlite")


def test_folder_of_a_store_is_created(tmp_path):
    path = tmp_path / "new" / "folder" / "latencies.sqlite"
    Store(path).close()
    assert path.exists()


def test_reading_creates_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no store"):
        Store(tmp_path / "latencies.sqlite", read_only=True)
    assert not list(tmp_path.iterdir())


def test_empty_file_is_no_store_to_read(tmp_path):
    path = tmp_path / "latencies.sqlite"
    path.touch()
    with pytest.raises(StoreError, match="is empty"):
        Store(path, read_only=True)
    assert not path.stat().st_size


def test_reader_cannot_write(path):
    with Store(path, read_only=True) as store, pytest.raises(StoreError, match="cannot be used"):
        store.add_campaign("request", 0, {}, [(1, 2)])
    with Store(path, read_only=True) as store:
        assert store.campaigns() == []


def test_reader_sees_what_is_written_meanwhile(path):
    with Store(path, read_only=True) as reader, Store(path) as writer:
        number = writer.add_campaign("request", 7, {}, [(1, 2)])
        assert reader.campaigns() == [number]
        assert reader.seed(number) == 7


def test_writer_frees_the_file(path):
    with Store(path), pytest.raises(StoreError, match="being written"):
        Store(path)
    Store(path).close()


def test_refused_file_is_freed(tmp_path):
    path = tmp_path / "latencies.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE mine (a)")
    with pytest.raises(StoreError, match="another program"):
        Store(path)
    path.unlink()
    Store(path).close()


@pytest.mark.parametrize(("name", "value"), [("application_id", 1), ("user_version", 1)])
def test_marked_file_of_another_program_is_refused(tmp_path, name, value):
    path = tmp_path / "latencies.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA {name} = {value}")
    with pytest.raises(StoreError, match="another program"):
        Store(path)


def test_store_that_is_opened_again_keeps_its_campaigns(path):
    with Store(path) as store:
        number = store.add_campaign("request", 7, {"runtime": "keras"}, [(1, 2), (3, 4, 5)])
    with Store(path) as store:
        assert store.find_campaign("request") == number
        assert store.architectures(number) == [(1, 2), (3, 4, 5)]


def test_closed_store_is_one_file_and_answers_no_more(path):
    store = Store(path)
    store.add_campaign("request", 0, {}, [(1, 2)])
    log = path.with_name(f"{path.name}-wal")
    assert log.exists()
    store.close()
    assert not log.exists()
    with pytest.raises(StoreError, match="closed"):
        store.campaigns()


def test_store_is_read_where_nothing_can_be_created(path, monkeypatch):
    connect, modes = sqlite3.connect, []

    def connect_in_a_read_only_folder(address, **settings):
        modes.append(address.partition("?mode=")[2])
        if "immutable" not in address:
            raise sqlite3.OperationalError("unable to open database file")
        return connect(address, **settings)

    monkeypatch.setattr(sqlite3, "connect", connect_in_a_read_only_folder)
    with Store(path, read_only=True) as store:
        assert store.campaigns() == []
    assert modes == ["rw", "ro", "ro&immutable=1"]
