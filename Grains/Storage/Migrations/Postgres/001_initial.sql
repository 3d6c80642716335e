-- Times are Unix milliseconds. Key columns collate "C": the order of bytes, the same on every machine.

-- The one row every commit of a user updates. A fill factor below 100 leaves room for HOT updates, so its index entry stays put.
CREATE TABLE sync_metadata (
    user_id           text COLLATE "C" PRIMARY KEY,
    epoch             uuid   NOT NULL,
    first_seq         bigint NOT NULL,
    last_seq          bigint NOT NULL,
    tombstone_horizon bigint NOT NULL DEFAULT 0,
    last_sync_ms      bigint NOT NULL,
    digest            bytea  NOT NULL CHECK (octet_length(digest) = 16),
    not_before_ms     bigint NOT NULL DEFAULT 0,
    created_ms        bigint NOT NULL,
    rights            bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

CREATE TABLE sync_data (
    user_id              text COLLATE "C" NOT NULL,
    entity_type          text COLLATE "C" NOT NULL,
    entity_id            text COLLATE "C" NOT NULL,
    seq                  bigint  NOT NULL,
    version              bigint  NOT NULL,
    effective_ms             bigint  NOT NULL,
    client_ms             bigint  NOT NULL,
    merged_in_effective_ms bigint,
    merged_in_client_ms bigint,
    published_ms               bigint  NOT NULL,
    previous_published_ms      bigint  NOT NULL,
    deleted_ms           bigint,
    purge_after_ms       bigint,
    arrived_ms           bigint NOT NULL,
    created_ms           bigint NOT NULL,
    bytes                integer NOT NULL,
    named_version        bigint,
    device_id            text COLLATE "C",
    fingerprint          bytea,
    previous_fingerprint bytea,
    echoes               bytea,
    data                 text,
    PRIMARY KEY (user_id, entity_type, entity_id),
    CONSTRAINT sync_data_seq_key UNIQUE (user_id, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);

CREATE INDEX sync_data_tombstones ON sync_data (user_id, seq) WHERE deleted_ms IS NOT NULL;
CREATE INDEX sync_data_strip ON sync_data (deleted_ms)
    WHERE deleted_ms IS NOT NULL AND (echoes IS NOT NULL OR previous_fingerprint IS NOT NULL);
CREATE INDEX sync_data_purge ON sync_data (purge_after_ms) WHERE purge_after_ms IS NOT NULL;

-- What was replaced, as it stood, written by the commit that replaced it. A replaced tombstone has no data. arrived_ms is when the server
-- received it, replaced_ms when it received what came after: between the two this was how the entity stood.
CREATE TABLE sync_versions (
    user_id        text COLLATE "C" NOT NULL,
    entity_type    text COLLATE "C" NOT NULL,
    entity_id      text COLLATE "C" NOT NULL,
    version        bigint NOT NULL,
    published_ms   bigint NOT NULL,
    effective_ms   bigint NOT NULL,
    client_ms      bigint NOT NULL,
    merged_in_effective_ms bigint,
    merged_in_client_ms bigint,
    device_id      text COLLATE "C",
    fingerprint    bytea,
    arrived_ms     bigint NOT NULL,
    replaced_ms    bigint NOT NULL,
    bytes          integer NOT NULL,
    data           text,
    PRIMARY KEY (user_id, entity_type, entity_id, version)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);

CREATE TABLE idempotency_keys (
    user_id      text COLLATE "C" NOT NULL,
    scope        smallint NOT NULL,
    key          text COLLATE "C" NOT NULL,
    raw_hash     bytea   NOT NULL,
    request_hash bytea   NOT NULL,
    status       integer NOT NULL,
    response     bytea   NOT NULL,
    expires_ms   bigint  NOT NULL,
    PRIMARY KEY (user_id, scope, key)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_ms);

-- The id is a hash of entity, fingerprint and reason: the same loser, sent again, is the same row. A row has either the document or the
-- version that holds it. Both are written by one commit, and a version is not thinned while a row names it.
CREATE TABLE sync_conflicts (
    user_id        text COLLATE "C" NOT NULL,
    id             text COLLATE "C" NOT NULL,
    entity_type    text COLLATE "C" NOT NULL,
    entity_id      text COLLATE "C" NOT NULL,
    fingerprint    bytea,
    reason         text   NOT NULL,
    winner_version bigint NOT NULL,
    members        text,
    device_id      text COLLATE "C",
    created_ms     bigint NOT NULL,
    replaced_version bigint,
    document       text,
    PRIMARY KEY (user_id, id),
    CHECK ((document IS NULL) <> (replaced_version IS NULL))
);

CREATE INDEX sync_conflicts_feed ON sync_conflicts (user_id, created_ms, id);
CREATE INDEX sync_conflicts_age ON sync_conflicts (created_ms);

CREATE TABLE sync_devices (
    user_id       text COLLATE "C" NOT NULL,
    device_id     text COLLATE "C" NOT NULL,
    name          text,
    first_seen_ms bigint NOT NULL,
    last_seen_ms  bigint NOT NULL,
    last_seq      bigint NOT NULL,
    revoked_ms    bigint,
    PRIMARY KEY (user_id, device_id)
) WITH (fillfactor = 80);

CREATE INDEX sync_devices_unseen ON sync_devices (last_seen_ms);

-- Keys that every process of an installation shares. They are random, made here once, and never change.
CREATE TABLE server_keys (
    name  text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL CHECK (octet_length(value) = 32)
);

-- Two UUIDs have 244 random bits; no extension is needed for either function.
INSERT INTO server_keys (name, value) VALUES ('tickets', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- Which process may sweep, and until when. Every batch locks its row, so that no batch commits after another process took the lease.
CREATE TABLE maintenance_lease (
    name     text COLLATE "C" PRIMARY KEY,
    holder   text COLLATE "C" NOT NULL,
    until_ms bigint NOT NULL
);

-- Called where a commit's fence held and one of its keys has a live receipt: raising is what undoes the rest of the statement.
CREATE FUNCTION sync_receipt_taken() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'receipt taken' USING ERRCODE = 'MS001';
END
$$;
