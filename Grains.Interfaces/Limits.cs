namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Every bound that does not depend on the installation. Each has a test at the bound and one past it; relations between them are
/// asserted in <c>LimitsTests</c>. Bounds an operator may choose are <see cref="Quotas"/> here and options of the Gateway.
/// </summary>
public static class Limits
{
    public const int BodyBytesMax = 32 * 1024 * 1024;
    public const int BodyDepthMax = 72;
    public const int EntityBytesMax = 256 * 1024;

    /// <summary>One as it is stored, with what normalizing adds: a copy of the server's own, pushed back, may be that large.</summary>
    public const int StoredBytesMax = 260 * 1024;
    public const int EntityDepthMax = 64;

    public const int PushItemsMax = 50_000;
    public const int BatchItemsMax = 1_000;

    /// <summary>
    /// One answer to a write: the results it lists; the stored documents it copies, past which the client pulls them; and for a batch what
    /// the client had missed. Of refused items so many are listed, and the rest is counted.
    /// </summary>
    public const int AnswerBytesMax = 8 * 1024 * 1024;
    public const int AnswerResultsBytesMax = 7 * 512 * 1024;
    public const int AnswerCopiesBytesMax = 3 * 1024 * 1024;
    public const int AnswerChangesBytesMax = 1024 * 1024;
    public const int RefusalsListedMax = 1_000;

    /// <summary>Stored documents that one request may have announced again, because it lost to each in a tie.</summary>
    public const int TiedBytesMax = 32 * 1024 * 1024;

    /// <summary>
    /// Receipts of one user, past which the oldest keys are forgotten early; and how many or how much of them go at once then.
    /// </summary>
    public const int ReceiptsMax = 10_000;
    public const long ReceiptBytesMax = 32L * 1024 * 1024;
    public const int ReceiptsPerTrim = 500;
    public const long ReceiptBytesPerTrim = 8L * 1024 * 1024;

    /// <summary>
    /// One user may hold one part in so many of the body budget. A body past 64 KiB of which nothing arrives for so long is cut.
    /// </summary>
    public const int BodyBudgetParts = 4;
    public const int BodyStalledMs = 10_000;

    /// <summary>
    /// An answer is sent in steps of so many bytes, each when the client has taken the one before; a step that is not taken for so long is
    /// the last.
    /// </summary>
    public const int AnswerStepBytes = 64 * 1024;
    public const int AnswerStalledMs = 60_000;

    /// <summary>
    /// A call takes one permit of its user's rate, and one more for each so many items that it writes, and for so much of its body past the
    /// first 64 KiB.
    /// </summary>
    public const int ItemsPerPermit = 50;
    public const int BytesPerPermit = 64 * 1024;

    /// <summary>Reads of one user under way in a process (pulls, exports, lists), and how many more wait for so long to begin.</summary>
    public const int ReadsPerUserMax = 8;
    public const int WaitingReadsMax = 32;
    public const int ReadWaitMs = 10_000;

    /// <summary>Long calls of one user under way in a process: renaming, dissociating, erasing and exporting together.</summary>
    public const int LongCallsPerUserMax = 1;

    /// <summary>
    /// Versions from the base of an edit to the stored document, and the bytes of all that one request needs; past either rule 5 decides.
    /// </summary>
    public const int MergeVersionsMax = 64;
    public const long MergeBytesMax = 32L * 1024 * 1024;

    /// <summary>
    /// Entities that one call of a rewind looks at, the states of each that it reads, and how often it plans one again that others change.
    /// </summary>
    public const int RewindEntitiesMax = 500;
    public const int RewindVersionsMax = 5_000;
    public const int RewindTriesMax = 5;

    /// <summary>
    /// How many versions, or how much of them, a coordinator adds between two looks at the bounds of a user's versions: at least so many,
    /// and at least one part in so many of those that the user has.
    /// </summary>
    public const int VersionsBetweenTrims = 500;
    public const long VersionBytesBetweenTrims = 2L * 1024 * 1024;
    public const int VersionTrimParts = 8;

    public const int PageRowsMax = 500;
    public const int PageBytesMax = 8 * 1024 * 1024;

    /// <summary>Kept conflicts that are read at a time: so many of the largest documents are about one page.</summary>
    public const int FeedRowsMax = 25;
    public const int PullLimitMax = 10_000;

    /// <summary>A page that crosses the cluster, to a process without a store.</summary>
    public const int RemotePageBytesMax = 1024 * 1024;

    /// <summary>
    /// A larger document is read by pages. PostgreSQL sends what a query found before it can be told that this is too much: so a user with
    /// many large documents costs no more than 32 MiB for nothing.
    /// </summary>
    public const int JoinedDocumentBytesMax = 16 * 1024;

    /// <summary>Requests waiting at one coordinator, and the bytes of their documents.</summary>
    public const int QueuedWritesMax = 256;
    public const long QueuedBytesMax = 96L * 1024 * 1024;

    /// <summary>Requests that share one commit, and the rows they may change together.</summary>
    public const int BatchRequestsMax = 64;
    public const int BatchRowsMax = 2_000;

    /// <summary>A body larger than this is read and hashed off the coordinator's turns.</summary>
    public const int InlineBodyBytesMax = 16 * 1024;

    /// <summary>Larger bodies are parsed and hashed on one of so many parts of the processor's cores.</summary>
    public const int BodyCoreParts = 2;

    /// <summary>How long a coordinator keeps heads that nobody uses, and how many heads one silo may hold (about 300 bytes each).</summary>
    public const int HeadsIdleMs = 60_000;
    public const long HeadsMax = 5_000_000;

    /// <summary>Times a commit is decided again after another activation was first.</summary>
    public const int FenceRetriesMax = 20;

    public const int EchoesMax = 8;

    /// <summary>A known device is noted as seen at most this often. So many devices are remembered as seen in one silo.</summary>
    public const long DeviceSeenEveryMs = 60_000;
    public const int DevicesRememberedMax = 100_000;

    /// <summary>What the store confirmed may decide for so long without being asked again.</summary>
    public const int ConfirmedMs = 5_000;

    /// <summary>How often a silo has its coordinators with connections confirmed, and of how many users at once.</summary>
    public const int ConfirmEveryMs = 30_000;
    public const int ConfirmUsersMax = 1_000;

    /// <summary>A connection that has been silent for so long may make room for another.</summary>
    public const int EvictSilentMs = 60_000;

    /// <summary>
    /// How often a process reports a user's connections again, to an activation in the same process and to one elsewhere.
    /// </summary>
    public const int RosterRenewMs = 60_000;
    public const int RosterRenewElsewhereMs = 20_000;

    /// <summary>
    /// Connections of a process that is silent for so long are gone. A silo that went away has so many rosters reported again at once.
    /// </summary>
    public const int RosterSilentMs = 60_000;
    public const int RosterReportsAtOnceMax = 64;

    /// <summary>Announcements that wait for one observer, past which only the head is told; and those of one silo.</summary>
    public const int AnnouncedBytesMax = 256 * 1024;
    public const long AnnouncedBytesPerSiloMax = 32L * 1024 * 1024;

    /// <summary>
    /// A commit of more rows than this is not announced row by row: every socket reads it from the store, in frames of many.
    /// </summary>
    public const int AnnouncedRowsMax = 256;

    /// <summary>Pages of operators that follow the figures of a process.</summary>
    public const int AdminWatchersMax = 16;

    /// <summary>How often a process without a silo says that it is there.</summary>
    public const int GatewayReportMs = 5_000;

    /// <summary>A process without a silo that said nothing for so long is no longer listed.</summary>
    public const int GatewaySilentMs = 15_000;

    /// <summary>Processes without a silo that are listed.</summary>
    public const int GatewaysMax = 1_000;

    public const int TicketsMax = 32;
    public const int TicketMs = 30_000;

    /// <summary>Positions of the head that a coordinator remembers, to replay the last minute to a client that does not ask.</summary>
    public const int RecentHeadsMs = 60_000;
    public const int RecentHeadsMax = 64;

    public const int CachedResponsesMax = 32;
    public const int CachedResponseBytesMax = 64 * 1024;

    /// <summary>An attempt to read an authority's keys, the pause before the next one, and how old keys may become.</summary>
    public const int AuthorityAttemptMs = 5_000;
    public const int AuthorityRetryMs = 5_000;
    public const int AuthorityKeysMs = 600_000;
    public const int AuthorityBytesMax = 1024 * 1024;

    /// <summary>Wrong passwords for the pages for operators, from one address.</summary>
    public const int AdminGuessesPerMinute = 10;

    public const int ReceiptHours = 24;
    public const int ConflictDays = 30;
    public const int VersionDays = 30;
    public const int TombstoneDays = 90;
    public const int ErasedTombstoneDays = 30;
    public const int DeviceUnseenDays = 365;
    public const int TombstonesMax = 100_000;

    /// <summary>Entity types of which a user has live entities.</summary>
    public const int TypesMax = 200;

    /// <summary>What an epoch bump adds to the last revision, so that no revision a client may have heard of is given out again.</summary>
    public const long EpochJump = 1_000_000_000;

    /// <summary>Rows of an import between two stored states of its progress.</summary>
    public const int ImportRowsMax = 1_000;
    public const int ImportBytesMax = 4 * 1024 * 1024;

    /// <summary>Users whose coordinators an import writes to at a time.</summary>
    public const int ImportUsersAtOnce = 8;
    public const int ImportsRemembered = 10;

    /// <summary>A database that is sent to be imported; D1 holds no larger one.</summary>
    public const long ImportFileBytesMax = 10L * 1024 * 1024 * 1024;

    /// <summary>A clock further ahead than this was set right when later changes come from about now.</summary>
    public const long ClockSetRightMs = 60_000;
}

/// <summary>What one user may keep. Chosen by the operator.</summary>
public sealed record Quotas(
    int LiveEntitiesMax = 200_000,
    long BytesMax = 512L * 1024 * 1024,
    int DevicesMax = 200,
    int ConflictsMax = 1_000,
    int ConnectionsMax = 10)
{
    /// <summary>Bytes of versions, of all entities and of one.</summary>
    public long VersionBytesMax { get; init; } = 256L * 1024 * 1024;
    public long EntityVersionBytesMax { get; init; } = 8L * 1024 * 1024;

    /// <summary>Entity types of which no versions are kept; their edits are then never merged.</summary>
    public IReadOnlySet<string> TypesWithoutHistory { get; init; } = new HashSet<string>();

    /// <summary>Entity types whose edits are never merged.</summary>
    public IReadOnlySet<string> TypesWithoutMerge { get; init; } = new HashSet<string>();

    public bool KeepsHistory(string type) => !TypesWithoutHistory.Contains(type);

    public bool Merges(string type) => KeepsHistory(type) && !TypesWithoutMerge.Contains(type);
}
