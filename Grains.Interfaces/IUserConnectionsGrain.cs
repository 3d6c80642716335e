using Orleans.Metadata;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// The connections of a user in every process, and the tickets that open them. The coordinator of the user holds both, and tells the
/// processes that reported connections about each commit. The key is the user's id.
/// </summary>
[Alias("mirubato.user-connections"), DefaultGrainType(ISyncCoordinatorGrain.GrainType)]
public interface IUserConnectionsGrain : IGrainWithStringKey
{
    /// <summary>Takes in all connections that a process has of the user, and admits or refuses the new ones among them.</summary>
    [Alias("report"), ResponseTimeout(CallTimeouts.Roster)]
    Task<RosterReply> Report(Roster roster);

    /// <summary>Remembers a ticket until it is redeemed or expires. Past <see cref="Limits.TicketsMax"/> the oldest goes.</summary>
    [Alias("issue-ticket"), ResponseTimeout(CallTimeouts.Roster)]
    Task IssueTicket(TicketGrant ticket);

    /// <summary>Takes the ticket out. Null when this activation does not know it, it has expired, or it was redeemed before.</summary>
    [Alias("redeem-ticket"), ResponseTimeout(CallTimeouts.Roster)]
    Task<TicketGrant?> RedeemTicket(TicketRedemption redemption);

    /// <summary>Closes every connection of the user with 1012; they come back. The value is how many there were.</summary>
    [Alias("disconnect"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<int>> Disconnect();
}
