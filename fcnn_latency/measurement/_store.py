"""The SQLite file that holds every reading."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from fcnn_latency.measurement._plan import Group
from fcnn_latency.measurement._store_file import StoreFile
from fcnn_latency.measurement.process._readings import (
    REFERENCE,
    Block,
    BuildReport,
    ProcessReport,
    Report,
    RoundReport,
)

#: Columns of `Store.readings` and their types.
READING_TYPES = np.dtype(
    [
        ("architecture", np.int32),
        ("pass", np.int16),
        ("group", np.int32),
        ("round", np.int16),
        ("process", np.int32),
        ("seconds", np.float64),
    ]
)


class Store(StoreFile):
    """An SQLite file of campaigns, their readings and the conditions of measurement.

    The file is in write-ahead mode and each round is one transaction. Written rounds therefore
    survive a killed process, and the file can be read while it is written. Only one process
    writes at a time.

    Parameters
    ----------
    path : path
        Path of the file, which is created if it does not exist.
    read_only : bool, default=False
        Whether to open the file for reading only. Then nothing is created, and another process
        may write at the same time.

    Raises
    ------
    FileNotFoundError
        If `read_only` is true and the file does not exist.
    StoreError
        If the file belongs to another program or a newer version, cannot be written, or is being
        written by another process. The file is left unchanged.
    """

    # -- campaigns ---------------------------------------------------------------------------

    def find_campaign(self, request: str) -> int | None:
        """Return the campaign with exactly this request, or None if there is none."""
        found = self._select("SELECT id FROM campaign WHERE request = ?", request)
        return int(found[0][0]) if found else None

    def add_campaign(
        self,
        request: str,
        seed: int,
        conditions: dict[str, Any],
        architectures: Sequence[tuple[int, ...]],
    ) -> int:
        """Add a campaign and return its number."""
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO campaign (request, seed, conditions, started_at) VALUES (?, ?, ?, ?)",
                (request, seed, json.dumps(conditions), time.time()),
            )
            campaign = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO architecture (campaign, row, widths) VALUES (?, ?, ?)",
                ((campaign, row, json.dumps(widths)) for row, widths in enumerate(architectures)),
            )
        return campaign

    def campaigns(self) -> list[int]:
        """Return the numbers of all campaigns, oldest first."""
        return [int(row[0]) for row in self._select("SELECT id FROM campaign ORDER BY id")]

    def seed(self, campaign: int) -> int:
        """Return the seed of the plan of a campaign."""
        return int(self._select("SELECT seed FROM campaign WHERE id = ?", campaign)[0][0])

    def conditions(self, campaign: int) -> dict[str, Any]:
        """Return runtime, protocol, signal, space and environment of a campaign."""
        ((text,),) = self._select("SELECT conditions FROM campaign WHERE id = ?", campaign)
        conditions: dict[str, Any] = json.loads(text)
        return conditions

    def set_conditions(self, campaign: int, conditions: dict[str, Any]) -> None:
        """Replace the conditions; the new ones must not change how readings are made."""
        self._set(campaign, conditions=json.dumps(conditions))

    def block(self, campaign: int) -> Block | None:
        """Return how many calls make a reading; None before calibration."""
        sql = "SELECT samples_per_block, calls_per_sample FROM campaign WHERE id = ?"
        (found,) = self._select(sql, campaign)
        return None if None in found else Block(*found)

    def set_block(self, campaign: int, block: Block) -> None:
        """Store how many calls make a reading."""
        self._set(
            campaign, samples_per_block=block.samples, calls_per_sample=block.calls_per_sample
        )

    def scale(self, campaign: int) -> dict[str, Any] | None:
        """Return the scale of the labels; None if it has not been set."""
        ((text,),) = self._select("SELECT scale FROM campaign WHERE id = ?", campaign)
        return None if text is None else dict(json.loads(text))

    def set_scale(self, campaign: int, scale: dict[str, Any]) -> None:
        """Store the scale of the labels."""
        self._set(campaign, scale=json.dumps(scale))

    def _set(self, campaign: int, **columns: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        with self._writing() as connection:
            connection.execute(
                f"UPDATE campaign SET {names} WHERE id = ?", (*columns.values(), campaign)
            )

    def architectures(self, campaign: int) -> list[tuple[int, ...]]:
        """Return the widths of the architectures of a campaign, in the order of the request."""
        sql = "SELECT widths FROM architecture WHERE campaign = ? ORDER BY row"
        return [tuple(json.loads(text)) for (text,) in self._select(sql, campaign)]

    def failures(self, campaign: int) -> dict[int, str]:
        """Return the reason of each failed architecture, by row."""
        sql = "SELECT row, failure FROM architecture WHERE campaign = ? AND failure IS NOT NULL"
        return dict(self._select(sql, campaign))

    def forget_failures(self, campaign: int) -> None:
        """Clear the failures, so that failed architectures are tried again."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE architecture SET failure = NULL WHERE campaign = ?", (campaign,)
            )

    # -- readings ----------------------------------------------------------------------------

    def add(self, campaign: int, group: Group, report: Report) -> None:
        """Write the report of a measuring process in one transaction."""
        with self._writing() as connection:
            if isinstance(report, ProcessReport):
                connection.execute(
                    "INSERT OR IGNORE INTO process (campaign, name, host, environment) "
                    "VALUES (?, ?, ?, ?)",
                    (campaign, report.process, report.host, json.dumps(report.environment)),
                )
                return
            connection.executemany(
                "UPDATE architecture SET failure = ? WHERE campaign = ? AND row = ?",
                ((why, campaign, group.members[i]) for i, why in report.failures.items()),
            )
            if isinstance(report, BuildReport):
                self._add_first_calls(connection, campaign, group, report)
            else:
                self._add_round(connection, campaign, group, report)

    def _add_first_calls(
        self, connection: sqlite3.Connection, campaign: int, group: Group, report: BuildReport
    ) -> None:
        if report.first_calls:
            process = self._process(campaign, report.process)
            connection.executemany(
                "INSERT OR REPLACE INTO first_call VALUES (?, ?, ?, ?)",
                (
                    (process, group.pass_number, group.members[place], seconds)
                    for place, seconds in report.first_calls.items()
                ),
            )

    def _add_round(
        self, connection: sqlite3.Connection, campaign: int, group: Group, report: RoundReport
    ) -> None:
        if not len(report.models):
            return
        rows = np.array([*group.members, REFERENCE])[report.models]  # index -1 selects REFERENCE
        cursor = connection.execute(
            'INSERT INTO round (campaign, process, "group", pass, number, started_at, load, stolen)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                campaign,
                self._process(campaign, report.process),
                group.number,
                group.pass_number,
                report.number,
                report.started_at,
                report.load,
                report.stolen,
            ),
        )
        places = range(len(rows))
        connection.executemany(
            f"INSERT INTO reading VALUES ({cursor.lastrowid}, ?, ?, ?)",
            zip(places, rows.tolist(), report.seconds.tolist(), strict=True),
        )

    def _process(self, campaign: int, name: str) -> int:
        sql = "SELECT id FROM process WHERE campaign = ? AND name = ?"
        return int(self._select(sql, campaign, name)[0][0])

    def rounds_read(self, campaign: int, group: Group) -> dict[int, set[int]]:
        """Return the rounds that have been read for each architecture of a group, by row."""
        read: dict[int, set[int]] = {row: set() for row in group.members}
        sql = (
            "SELECT architecture, number FROM round JOIN reading ON reading.round = round.id "
            f'WHERE campaign = ? AND "group" = ? AND architecture <> {REFERENCE}'
        )
        for row, number in self._select(sql, campaign, group.number):
            read[row].add(number)
        return read

    def readings(self, campaign: int) -> pd.DataFrame:
        """Return every reading of a campaign, in the order of measurement.

        Returns
        -------
        DataFrame
            Columns ``architecture`` (its row; -1 for the reference), ``pass``, ``group``,
            ``round``, ``process`` and ``seconds`` per call.
        """
        with self._translated():
            cursor = self._connection.execute(
                'SELECT architecture, pass, "group", number, process, seconds '
                "FROM round JOIN reading ON reading.round = round.id WHERE campaign = ? "
                "ORDER BY round.id, place",
                (campaign,),
            )
            return pd.DataFrame(np.fromiter(cursor, dtype=READING_TYPES))

    def rounds(self, campaign: int) -> pd.DataFrame:
        """Return ``group``, ``process``, ``started_at``, ``load`` and ``stolen`` of each round."""
        sql = 'SELECT "group", process, started_at, load, stolen FROM round WHERE campaign = ?'
        columns = ["group", "process", "started_at", "load", "stolen"]
        frame = pd.DataFrame(self._select(f"{sql} ORDER BY id", campaign), columns=columns)
        return frame.astype({"load": float, "stolen": float})

    def processes(self, campaign: int) -> pd.DataFrame:
        """Return ``name``, ``host`` and ``environment`` of each measuring process, by number."""
        sql = "SELECT id, name, host, environment FROM process WHERE campaign = ? ORDER BY id"
        rows = [(*row[:3], json.loads(row[3])) for row in self._select(sql, campaign)]
        columns = ["process", "name", "host", "environment"]
        return pd.DataFrame(rows, columns=columns).set_index("process")

    def first_calls(self, campaign: int) -> pd.Series:
        """Return the seconds of each architecture's first call (median over passes), by row."""
        sql = (
            "SELECT architecture, seconds FROM first_call JOIN process "
            "ON first_call.process = process.id WHERE campaign = ?"
        )
        frame = pd.DataFrame(self._select(sql, campaign), columns=["architecture", "seconds"])
        return frame.groupby("architecture")["seconds"].median()
