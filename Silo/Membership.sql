-- What Microsoft.Orleans.Clustering.AdoNet 10 needs to keep a cluster's member list in PostgreSQL. It reads every statement it uses from
-- OrleansQuery, by name, and runs them with the parameters named in them; the rest is ours. Applied at each start, under a lock: running it
-- again changes nothing, and running a newer one only replaces statements.
--
-- A write of the list names the version of the whole list it was decided on, and takes the next. Both are in one statement: of two silos
-- that write on the same version one finds it gone once the other's row lock is released, and writes nothing.

CREATE TABLE IF NOT EXISTS silo_lists
(
    cluster_id text COLLATE "C" PRIMARY KEY,
    version    integer NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS silo_members
(
    cluster_id  text COLLATE "C" NOT NULL,
    address     text COLLATE "C" NOT NULL,
    port        integer NOT NULL,
    generation  integer NOT NULL,
    silo_name   text NOT NULL,
    host_name   text NOT NULL,
    status      integer NOT NULL,
    proxy_port  integer,
    suspects    text,
    started_at  timestamptz NOT NULL,
    alive_at    timestamptz NOT NULL,
    PRIMARY KEY (cluster_id, address, port, generation)
);

CREATE TABLE IF NOT EXISTS OrleansQuery
(
    QueryKey  text PRIMARY KEY,
    QueryText text NOT NULL
);

INSERT INTO OrleansQuery (QueryKey, QueryText)
VALUES
('InsertMembershipVersionKey', $sql$
    WITH made AS (INSERT INTO silo_lists (cluster_id) VALUES (@DeploymentId) ON CONFLICT DO NOTHING RETURNING 1)
    SELECT count(*)::integer FROM made
$sql$),
('InsertMembershipKey', $sql$
    WITH list AS (
        UPDATE silo_lists SET version = version + 1, changed_at = now()
        WHERE cluster_id = @DeploymentId AND version = @Version AND NOT EXISTS (
            SELECT 1 FROM silo_members WHERE cluster_id = @DeploymentId AND address = @Address AND port = @Port
                AND generation = @Generation)
        RETURNING cluster_id),
    made AS (
        INSERT INTO silo_members (cluster_id, address, port, generation, silo_name, host_name, status, proxy_port, started_at, alive_at)
        SELECT cluster_id, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM list
        RETURNING 1)
    SELECT count(*)::integer FROM made
$sql$),
('UpdateMembershipKey', $sql$
    WITH list AS (
        UPDATE silo_lists SET version = version + 1, changed_at = now()
        WHERE cluster_id = @DeploymentId AND version = @Version AND EXISTS (
            SELECT 1 FROM silo_members WHERE cluster_id = @DeploymentId AND address = @Address AND port = @Port
                AND generation = @Generation)
        RETURNING cluster_id),
    changed AS (
        UPDATE silo_members AS member SET status = @Status, suspects = @SuspectTimes, alive_at = @IAmAliveTime
        FROM list
        WHERE member.cluster_id = list.cluster_id AND address = @Address AND port = @Port AND generation = @Generation
        RETURNING 1)
    SELECT count(*)::integer FROM changed
$sql$),
('UpdateIAmAlivetimeKey', $sql$
    UPDATE silo_members SET alive_at = @IAmAliveTime
    WHERE cluster_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$sql$),
('MembershipReadRowKey', $sql$
    SELECT list.cluster_id AS DeploymentId, address AS Address, port AS Port, generation AS Generation, silo_name AS SiloName,
        host_name AS HostName,
        status AS Status, proxy_port AS ProxyPort, suspects AS SuspectTimes, NULL::text AS MetadataJson, started_at AS StartTime,
            alive_at AS IAmAliveTime,
        list.version AS Version
    FROM silo_lists AS list LEFT JOIN silo_members AS member
        ON member.cluster_id = list.cluster_id AND address = @Address AND port = @Port AND generation = @Generation
    WHERE list.cluster_id = @DeploymentId
$sql$),
('MembershipReadAllKey', $sql$
    SELECT list.cluster_id AS DeploymentId, address AS Address, port AS Port, generation AS Generation, silo_name AS SiloName,
        host_name AS HostName,
        status AS Status, proxy_port AS ProxyPort, suspects AS SuspectTimes, NULL::text AS MetadataJson, started_at AS StartTime,
            alive_at AS IAmAliveTime,
        list.version AS Version
    FROM silo_lists AS list LEFT JOIN silo_members AS member ON member.cluster_id = list.cluster_id
    WHERE list.cluster_id = @DeploymentId
$sql$),
('GatewaysQueryKey', $sql$
    SELECT address AS Address, proxy_port AS ProxyPort, generation AS Generation
    FROM silo_members
    WHERE cluster_id = @DeploymentId AND status = @Status AND proxy_port > 0
$sql$),
('DeleteMembershipTableEntriesKey', $sql$
    WITH gone AS (DELETE FROM silo_members WHERE cluster_id = @DeploymentId)
    DELETE FROM silo_lists WHERE cluster_id = @DeploymentId
$sql$),
-- 6 is Dead.
('CleanupDefunctSiloEntriesKey', $sql$
    DELETE FROM silo_members WHERE cluster_id = @DeploymentId AND alive_at < @IAmAliveTime AND started_at < @IAmAliveTime AND status = 6
$sql$),
('CleanupDefunctSiloEntryKey', $sql$
    DELETE FROM silo_members
    WHERE cluster_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
        AND alive_at = @IAmAliveTime AND started_at = @StartTime AND coalesce(suspects, '') = coalesce(@SuspectTimes, '') AND status = 6
$sql$)
ON CONFLICT (QueryKey) DO UPDATE SET QueryText = excluded.QueryText;
