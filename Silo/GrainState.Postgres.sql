-- What Microsoft.Orleans.Persistence.AdoNet 10 needs to keep the state of grains in PostgreSQL. It reads its three statements from
-- OrleansQuery, by name, and runs them with the parameters named in them; the rest is ours. OrleansQuery is shared with Membership.sql.
-- Applied at each start, under a lock: running it again changes nothing, and running a newer one only replaces statements.
--
-- A state is one row per service, name of the state and grain. Orleans gives a grain's key as two numbers and an optional text; the hashes
-- it gives as well are not needed, because the key itself is indexed. A write or a clear returns the new version. One that was decided on a
-- version that is not the stored one returns no row, and Orleans throws InconsistentStateException. Of two first writes at once, the second
-- waits for the first one's row and then inserts nothing.

CREATE TABLE IF NOT EXISTS grain_states
(
    service_id text COLLATE "C" NOT NULL,
    state_name text COLLATE "C" NOT NULL,
    key_n0     bigint NOT NULL,
    key_n1     bigint NOT NULL,
    key_text   text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    payload    bytea,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service_id, state_name, key_n0, key_n1, key_text)
);

CREATE TABLE IF NOT EXISTS OrleansQuery
(
    QueryKey  text PRIMARY KEY,
    QueryText text NOT NULL
);

INSERT INTO OrleansQuery (QueryKey, QueryText)
VALUES
('ReadFromStorageKey', $sql$
    SELECT payload AS PayloadBinary, version AS Version
    FROM grain_states
    WHERE service_id = @ServiceId AND state_name = @GrainTypeString
        AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1 AND key_text = coalesce(@GrainIdExtensionString, '')
$sql$),
('WriteToStorageKey', $sql$
    WITH changed AS (
        UPDATE grain_states SET version = version + 1, payload = @PayloadBinary, changed_at = now()
        WHERE service_id = @ServiceId AND state_name = @GrainTypeString
            AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1 AND key_text = coalesce(@GrainIdExtensionString, '')
            AND version = @GrainStateVersion
        RETURNING version),
    made AS (
        INSERT INTO grain_states (service_id, state_name, key_n0, key_n1, key_text, version, payload)
        SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString, ''), 1, @PayloadBinary
        WHERE @GrainStateVersion IS NULL
        ON CONFLICT DO NOTHING
        RETURNING version)
    SELECT version AS NewGrainStateVersion FROM changed UNION ALL SELECT version FROM made
$sql$),
-- The row stays, so that a writer who does not know of the clear fails on its version.
('ClearStorageKey', $sql$
    UPDATE grain_states SET version = version + 1, payload = NULL, changed_at = now()
    WHERE service_id = @ServiceId AND state_name = @GrainTypeString
        AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1 AND key_text = coalesce(@GrainIdExtensionString, '')
        AND version = @GrainStateVersion
    RETURNING version AS NewGrainStateVersion
$sql$)
ON CONFLICT (QueryKey) DO UPDATE SET QueryText = excluded.QueryText;
