namespace Mirubato.Grains;

/// <summary>Calls that bring back what lost, was replaced or arrived since.</summary>
internal sealed partial class SyncCoordinatorGrain
{
    public Task<Reply<WriteAnswer>> Restore(RestoreRequest request) => Answer(async () =>
    {
        if (await silo.Store.Conflict(user, request.ConflictId, NoCancellation) is not { } conflict)
        {
            return WriteAnswer.Refuse(RequestRefusal.NotFound);
        }
        var answer = await Queue.Run(await Restoring(conflict, request.Caller));
        if (answer is { Refusal: RequestRefusal.None, Items: [{ Status: not ItemStatus.Refused }] })
            await silo.Store.DeleteConflict(user, request.ConflictId, NoCancellation);
        return answer;
    });

    public Task<Reply<WriteAnswer>> RestoreVersion(RestoreVersionRequest request) => Answer(async () =>
    {
        var found = await silo.Store.History(user, request.Entity, request.Version + 1, limit: 1, NoCancellation);
        return found is [{ IsDeleted: false } state] && state.Version == request.Version
            ? await Queue.Run(QueuedWrite.Restoring(request.Entity, state.Data, request.Caller, silo.NowMs))
            : WriteAnswer.Refuse(RequestRefusal.NotFound);
    });

    public Task<Reply<RewindReport>> Rewind(RewindRequest request) => Answer(() => new Rewinding(user, silo, Queue).Page(request));

    public Task<Reply<bool>> Dismiss(DismissRequest request) =>
        Answer(() => silo.Store.DeleteConflict(user, request.ConflictId, NoCancellation));

    /// <summary>Members alone are written into the document there is; without one the whole document comes back.</summary>
    private async ValueTask<QueuedWrite> Restoring(ConflictReport conflict, Caller caller)
    {
        IReadOnlyList<StoredRow> rows = conflict.Members is null ? [] : await silo.Store.Rows(user, [conflict.Entity], NoCancellation);
        return rows is [{ DeletedAtMs: null } stored]
            ? QueuedWrite.RestoringMembers(conflict, stored, caller, silo.NowMs)
            : QueuedWrite.Restoring(conflict.Entity, conflict.Document, caller, silo.NowMs);
    }
}
