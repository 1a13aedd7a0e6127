-- Schema of a store, version 1; what changed from one version to the next is in store_schema.md.
-- JSON where a column is an object. Times are in seconds, moments in seconds since 1970.

CREATE TABLE campaign (
    id INTEGER PRIMARY KEY,
    request TEXT NOT NULL UNIQUE,   -- JSON: what was asked for; the same call resumes
    seed INTEGER NOT NULL,          -- of the plan
    conditions TEXT NOT NULL,       -- JSON: runtime, protocol, signal, space, environment
    samples_per_block INTEGER,      -- found by calibration
    calls_per_sample INTEGER,
    scale TEXT,                     -- JSON: once all is read
    started_at REAL NOT NULL
);

CREATE TABLE architecture (
    campaign INTEGER NOT NULL REFERENCES campaign (id),
    row INTEGER NOT NULL,           -- in the order that was asked for
    widths TEXT NOT NULL,           -- JSON: neurons of each layer, input first
    failure TEXT,                   -- why it has no latency
    PRIMARY KEY (campaign, row)
) WITHOUT ROWID;

CREATE TABLE process (
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign (id),
    name TEXT NOT NULL,             -- host, number and start of the process
    host TEXT NOT NULL,
    environment TEXT NOT NULL,      -- JSON: as the process saw its machine
    UNIQUE (campaign, name)
);

CREATE TABLE first_call (
    process INTEGER NOT NULL REFERENCES process (id),
    pass INTEGER NOT NULL,
    architecture INTEGER NOT NULL,  -- row
    seconds REAL NOT NULL,
    PRIMARY KEY (process, pass, architecture)
) WITHOUT ROWID;

CREATE TABLE round (
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign (id),
    process INTEGER NOT NULL REFERENCES process (id),
    "group" INTEGER NOT NULL,
    pass INTEGER NOT NULL,
    number INTEGER NOT NULL,        -- of the round in its pass
    started_at REAL NOT NULL,
    load REAL,                      -- load average of the machine
    stolen REAL                     -- fraction of the core's time that the hypervisor took
);

CREATE INDEX round_of_group ON round (campaign, "group", number);

CREATE TABLE reading (
    round INTEGER NOT NULL REFERENCES round (id),
    place INTEGER NOT NULL,         -- in the order in which readings were made
    architecture INTEGER NOT NULL,  -- row; -1 for the reference architecture
    seconds REAL NOT NULL,          -- per call
    PRIMARY KEY (round, place)
) WITHOUT ROWID;
