-- The schema of Migrations/Postgres, table by table. Times are Unix milliseconds, documents the UTF-8 bytes that go out.

CREATE TABLE sync_metadata (
    user_id           TEXT PRIMARY KEY,
    epoch             TEXT NOT NULL,
    first_seq         INTEGER NOT NULL,
    last_seq          INTEGER NOT NULL,
    tombstone_horizon INTEGER NOT NULL DEFAULT 0,
    last_sync_ms      INTEGER NOT NULL,
    digest            BLOB  NOT NULL CHECK (length(digest) = 16),
    not_before_ms     INTEGER NOT NULL DEFAULT 0,
    created_ms        INTEGER NOT NULL,
    rights            INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE sync_data (
    user_id              TEXT NOT NULL,
    entity_type          TEXT NOT NULL,
    entity_id            TEXT NOT NULL,
    seq                  INTEGER  NOT NULL,
    version              INTEGER  NOT NULL,
    effective_ms             INTEGER  NOT NULL,
    client_ms             INTEGER  NOT NULL,
    merged_in_effective_ms INTEGER,
    merged_in_client_ms INTEGER,
    published_ms               INTEGER  NOT NULL,
    previous_published_ms      INTEGER  NOT NULL,
    deleted_ms           INTEGER,
    purge_after_ms       INTEGER,
    arrived_ms           INTEGER NOT NULL,
    created_ms           INTEGER NOT NULL,
    bytes                INTEGER NOT NULL,
    named_version        INTEGER,
    device_id            TEXT,
    fingerprint          BLOB,
    previous_fingerprint BLOB,
    echoes               BLOB,
    data                 BLOB,
    PRIMARY KEY (user_id, entity_type, entity_id),
    UNIQUE (user_id, seq)
) STRICT;

CREATE INDEX sync_data_tombstones ON sync_data (user_id, seq) WHERE deleted_ms IS NOT NULL;
CREATE INDEX sync_data_strip ON sync_data (deleted_ms)
    WHERE deleted_ms IS NOT NULL AND (echoes IS NOT NULL OR previous_fingerprint IS NOT NULL);
CREATE INDEX sync_data_purge ON sync_data (purge_after_ms) WHERE purge_after_ms IS NOT NULL;

-- What was replaced, as it stood, written by the commit that replaced it. A replaced tombstone has no data. arrived_ms is when the server
-- received it, replaced_ms when it received what came after: between the two this was how the entity stood.
CREATE TABLE sync_versions (
    user_id        TEXT NOT NULL,
    entity_type    TEXT NOT NULL,
    entity_id      TEXT NOT NULL,
    version        INTEGER NOT NULL,
    published_ms   INTEGER NOT NULL,
    effective_ms   INTEGER NOT NULL,
    client_ms      INTEGER NOT NULL,
    merged_in_effective_ms INTEGER,
    merged_in_client_ms INTEGER,
    device_id      TEXT,
    fingerprint    BLOB,
    arrived_ms     INTEGER NOT NULL,
    replaced_ms    INTEGER NOT NULL,
    bytes          INTEGER NOT NULL,
    data           BLOB,
    PRIMARY KEY (user_id, entity_type, entity_id, version)
) STRICT;

CREATE TABLE idempotency_keys (
    user_id      TEXT NOT NULL,
    scope        INTEGER NOT NULL,
    key          TEXT NOT NULL,
    raw_hash     BLOB   NOT NULL,
    request_hash BLOB   NOT NULL,
    status       INTEGER NOT NULL,
    response     BLOB   NOT NULL,
    expires_ms   INTEGER  NOT NULL,
    PRIMARY KEY (user_id, scope, key)
) STRICT;

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_ms);

-- The id is a hash of entity, fingerprint and reason: the same loser, sent again, is the same row. A row has either the document or the
-- version that holds it. Both are written by one commit, and a version is not thinned while a row names it.
CREATE TABLE sync_conflicts (
    user_id        TEXT NOT NULL,
    id             TEXT NOT NULL,
    entity_type    TEXT NOT NULL,
    entity_id      TEXT NOT NULL,
    fingerprint    BLOB,
    reason         TEXT   NOT NULL,
    winner_version INTEGER NOT NULL,
    members        TEXT,
    device_id      TEXT,
    created_ms     INTEGER NOT NULL,
    replaced_version INTEGER,
    document       BLOB,
    PRIMARY KEY (user_id, id),
    CHECK ((document IS NULL) <> (replaced_version IS NULL))
) STRICT;

CREATE INDEX sync_conflicts_feed ON sync_conflicts (user_id, created_ms, id);
CREATE INDEX sync_conflicts_age ON sync_conflicts (created_ms);

CREATE TABLE sync_devices (
    user_id       TEXT NOT NULL,
    device_id     TEXT NOT NULL,
    name          TEXT,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    last_seq      INTEGER NOT NULL,
    revoked_ms    INTEGER,
    PRIMARY KEY (user_id, device_id)
) STRICT;

CREATE INDEX sync_devices_unseen ON sync_devices (last_seen_ms);

-- Keys that every start of an installation shares. They are random, made here once, and never change.
CREATE TABLE server_keys (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL CHECK (length(value) = 32)
) STRICT;

INSERT INTO server_keys (name, value) VALUES ('tickets', randomblob(32));

-- Who may sweep, and until when.
CREATE TABLE maintenance_lease (
    name     TEXT PRIMARY KEY,
    holder   TEXT NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT;
