-- What Microsoft.Orleans.Persistence.AdoNet 10 needs to keep the state of grains in SQLite: the same as GrainState.Postgres.sql, in a file
-- beside the main database. Applied at each start in one transaction: running it again changes nothing, and running a newer one only
-- replaces statements.
--
-- A write is two statements, because SQLite allows no change inside WITH. Whether a version is given decides which of the two can act, so
-- at
-- most one returns a row, and each is atomic by itself.

CREATE TABLE IF NOT EXISTS grain_states
(
    service_id TEXT NOT NULL,
    state_name TEXT NOT NULL,
    key_n0     INTEGER NOT NULL,
    key_n1     INTEGER NOT NULL,
    key_text   TEXT NOT NULL,
    version    INTEGER NOT NULL,
    payload    BLOB,
    changed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (service_id, state_name, key_n0, key_n1, key_text)
) STRICT;

CREATE TABLE IF NOT EXISTS OrleansQuery
(
    QueryKey  TEXT PRIMARY KEY,
    QueryText TEXT NOT NULL
) STRICT;

INSERT INTO OrleansQuery (QueryKey, QueryText)
VALUES
('ReadFromStorageKey', '
    SELECT payload AS PayloadBinary, version AS Version
    FROM grain_states
    WHERE service_id = @ServiceId AND state_name = @GrainTypeString
        AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1 AND key_text = coalesce(@GrainIdExtensionString, '''')
'),
('WriteToStorageKey', '
    UPDATE grain_states SET version = version + 1, payload = @PayloadBinary, changed_at = CURRENT_TIMESTAMP
    WHERE service_id = @ServiceId AND state_name = @GrainTypeString
        AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1 AND key_text = coalesce(@GrainIdExtensionString, '''')
        AND version = @GrainStateVersion
    RETURNING version AS NewGrainStateVersion;

    INSERT INTO grain_states (service_id, state_name, key_n0, key_n1, key_text, version, payload)
    SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString, ''''), 1, @PayloadBinary
    WHERE @GrainStateVersion IS NULL
    ON CONFLICT DO NOTHING
    RETURNING version AS NewGrainStateVersion
'),
-- The row stays, so that a writer who does not know of the clear fails on its version.
('ClearStorageKey', '
    UPDATE grain_states SET version = version + 1, payload = NULL, changed_at = CURRENT_TIMESTAMP
    WHERE service_id = @ServiceId AND state_name = @GrainTypeString
        AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1 AND key_text = coalesce(@GrainIdExtensionString, '''')
        AND version = @GrainStateVersion
    RETURNING version AS NewGrainStateVersion
')
ON CONFLICT (QueryKey) DO UPDATE SET QueryText = excluded.QueryText;
