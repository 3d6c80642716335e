using Orleans.Metadata;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// What the coordinator of a user reports: where the history stands, which devices there are and which of them are connected, how much is
/// stored. The key is the user's id. Documents, the conflict feed and versions are read by <see cref="IUserReader"/>.
/// </summary>
[Alias("mirubato.user-status"), DefaultGrainType(ISyncCoordinatorGrain.GrainType)]
public interface IUserStatusGrain : IGrainWithStringKey
{
    /// <summary>
    /// The head of the history, and whether this caller still has access. What the store confirmed within the last <see
    /// cref="Limits.ConfirmedMs"/> may say that the caller has access; a snapshot of the store decides anything else. Notes the device as
    /// seen.
    /// </summary>
    [Alias("standing"), ResponseTimeout(CallTimeouts.HistoryState)]
    Task<Reply<HistoryState>> HistoryState(Caller caller);

    /// <summary>The figures of <c>GET /api/sync/status</c>, decided as <see cref="HistoryState"/> is.</summary>
    [Alias("status"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<StatusReport>> Status(Caller caller);

    /// <summary>The user's devices, and which of them are connected to any process.</summary>
    [Alias("devices"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<List<DeviceReport>>> Devices();

    /// <summary>What an operator sees of the user. It loads the heads.</summary>
    [Alias("inspect"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<UserReport>> Inspect();
}
