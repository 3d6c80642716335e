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

    public const int PageRowsMax = 500;
    public const int PageBytesMax = 8 * 1024 * 1024;
    public const int PullLimitMax = 10_000;

    /// <summary>Requests waiting at one coordinator, and the bytes of their documents.</summary>
    public const int MailboxRequestsMax = 256;
    public const long MailboxBytesMax = 96L * 1024 * 1024;

    /// <summary>Requests that share one commit, and the rows they may change together.</summary>
    public const int GroupRequestsMax = 64;
    public const int GroupRowsMax = 2_000;

    /// <summary>Coordinators of one process: how long one may be idle, how many there may be, and how many heads they may hold (about 300 bytes each).</summary>
    public const int CoordinatorIdleMs = 60_000;
    public const int CoordinatorsMax = 20_000;
    public const long HeadsMax = 5_000_000;

    /// <summary>Times a commit is decided again after another node was first.</summary>
    public const int FenceRetriesMax = 20;

    public const int EchoesMax = 8;
    /// <summary>A known device is noted as seen at most this often; the count of devices and connections in a status may be this old.</summary>
    public const long DeviceSeenEveryMs = 60_000;
    public const long PresenceFreshMs = 1_000;

    /// <summary>How often a process says that it lives, and how often every room compares its head with the store.</summary>
    public const int HeartbeatEveryMs = 5_000;
    public const int HeadsComparedEveryMs = 30_000;

    /// <summary>Users whose head waits to be told to other processes (and as many other hints), and the bytes of one notification: PostgreSQL takes less than 8,000.</summary>
    public const int HintsWaitingMax = 10_000;
    public const int HintBytesMax = 7_900;

    /// <summary>The least time between two notifications of a process.</summary>
    public const int HintPauseMs = 2;

    public const int AnswersRememberedMax = 32;
    public const int AnswerBytesRememberedMax = 64 * 1024;

    public const int ReceiptHours = 24;
    public const int ConflictDays = 30;
    public const int TombstoneDays = 90;
    public const int ErasedTombstoneDays = 30;
    public const int DeviceUnseenDays = 365;
    public const int TombstonesMax = 100_000;

    /// <summary>What an epoch bump adds to the last revision, so that no revision a client may have heard of is given out again.</summary>
    public const long EpochJump = 1_000_000_000;

    /// <summary>A clock further ahead than this was set right when later changes come from about now.</summary>
    public const long ClockSetRightMs = 60_000;
}

/// <summary>What one user may keep. Chosen by the operator.</summary>
public sealed record Quotas(
    int LiveEntitiesMax = 200_000,
    long BytesMax = 512L * 1024 * 1024,
    int DevicesMax = 200,
    int ConflictsMax = 1_000);
