"""The SQLite file behind a store: opening, locking, checking and transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from fcnn_latency._files import check_writable, resolve
from fcnn_latency.exceptions import StoreError

#: "FCNL"; distinguishes a store from SQLite files of other programs.
APPLICATION_ID = 0x46434E4C
#: Suffixes of a store's file name.
STORE_SUFFIXES = (".sqlite", ".sqlite3", ".db")
#: Version of the schema that this package reads and writes; see ``store_schema.md``.
SCHEMA_VERSION = 1


class StoreFile:
    """An SQLite file in write-ahead mode, written by one process and readable by others.

    See `Store` for parameters and errors.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path = resolve(path)
        if read_only and not self.path.exists():
            raise FileNotFoundError(f"There is no store {str(self.path)!r}.")
        with ExitStack() as held:  # released here on an error, otherwise by `close`
            if not read_only:
                held.callback(_writer_lock(self.path).release)
            self._connection = held.enter_context(closing(self._connect(read_only)))
            self._held = held.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; SQLite then merges the write-ahead log into it."""
        self._held.close()

    def _connect(self, read_only: bool) -> sqlite3.Connection:
        with self._translated():
            if not read_only:
                return self._open("rwc", read_only)
            # Reading creates two files next to the store, which only a writer may remove. In a
            # read-only folder these files cannot be created, and nobody can be writing the store.
            for mode in ("rw", "ro"):
                with suppress(sqlite3.OperationalError):
                    return self._open(mode, read_only)
            return self._open("ro&immutable=1", read_only)

    def _open(self, mode: str, read_only: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=30,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._check(connection, read_only)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection, read_only: bool) -> None:
        """Reject files that are not stores before changing them, then create the tables."""
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if read_only and not n_tables:
            raise StoreError(f"{self.path} is empty: no campaign was begun in it.")
        if application != APPLICATION_ID and (n_tables or version or application or read_only):
            raise StoreError(
                f"{self.path} is no store of fcnn_latency, but an SQLite file of another program."
            )
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.path} has schema {version}; this version of fcnn_latency knows "
                f"{SCHEMA_VERSION} and older ones: update fcnn_latency."
            )
        if read_only:
            connection.execute("PRAGMA query_only = ON")
            return
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # safe in WAL against killed processes
        connection.execute("PRAGMA foreign_keys = ON")
        if version == 0:
            self._create(connection)

    def _create(self, connection: sqlite3.Connection) -> None:
        tables = files("fcnn_latency.measurement").joinpath("store.sql").read_text("utf-8")
        connection.executescript(
            f"BEGIN IMMEDIATE; {tables} PRAGMA application_id = {APPLICATION_ID}; "
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise SQLite errors as StoreError with the path of the file."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path} cannot be used as a store: {error}. What was written before is kept."
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction: everything is written, or nothing."""
        with self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _select(self, sql: str, *values: Any) -> list[Any]:
        with self._translated():
            return self._connection.execute(sql, values).fetchall()


def check_store(path: str | os.PathLike[str]) -> Path:
    """Check that a path can be used as a store and return it; nothing is created.

    Raises
    ------
    StoreError
        If the name does not end in one of `STORE_SUFFIXES`, or the file cannot be written.
    """
    path = resolve(path)
    if path.suffix.lower() not in STORE_SUFFIXES or path.is_dir():
        raise StoreError(
            f"A store is a file whose name ends in {', '.join(STORE_SUFFIXES)}. "
            f"Got {str(path)!r} instead."
        )
    try:
        return check_writable(path)
    except OSError as error:
        raise StoreError(str(error)) from error


def _writer_lock(path: Path) -> FileLock:
    """Acquire the lock of a store's writer; the system frees it when that process ends."""
    check_store(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f"{path.name}.lock"))
        lock.acquire(blocking=False)
    except Timeout:
        raise StoreError(
            f"{path} is being written by another process (it holds {path.name}.lock): wait for it, "
            "or give this campaign a store of its own."
        ) from None
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    return lock
