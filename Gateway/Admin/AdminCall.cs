using System.Security.Claims;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.Admin;

/// <summary>A call about one user, by an operator who was let in.</summary>
/// <param name="Device">The device in its path; empty where there is none.</param>
internal sealed record AdminCall(HttpContext Http, UserId User, string Device, UserCoordinator Coordinator, IUserReader Reader)
{
    public static ValueTask<AdminCall?> BindAsync(HttpContext http)
    {
        var ids = http.Features.Get<HiddenIds>();
        if (ids is null || !UsableId.Is(ids.User)) throw NoSuchUser();
        var (user, services) = (new UserId(ids.User), http.RequestServices);
        return new(
            new AdminCall(
                http, user, ids.Device, services.GetRequiredService<Coordinators>().For(user), services.GetRequiredService<IUserReader>()));
    }

    /// <summary>The user as a caller who may see everything: no sign-out and no device is in the way.</summary>
    public Call AsUser() => new(Http, new Caller(User, Device: null, TokenIssuedAtMs: long.MaxValue), Coordinator, Reader);

    /// <summary>Asking the coordinator of an unknown user would create that user.</summary>
    public async Task RequireKnown()
    {
        if (!(await Reader.States([User], Http.RequestAborted)).ContainsKey(User)) throw NoSuchUser();
    }

    /// <summary>Does something to the user, if it was confirmed, and writes down who did it and how it ended.</summary>
    public Task Act(string action, Func<Task> work) => Audit.Act(Http, action, Whom, async () =>
    {
        await RequireKnown();
        await work();
    });

    /// <summary>Shows what the user wrote, and writes down to whom.</summary>
    public Task Show(string action, Func<Task> work) => Audit.Note(Http, action, Whom, async () =>
    {
        await RequireKnown();
        await work();
    });

    private string Whom => Device.Length == 0 ? $"user '{User}'" : $"device '{Audit.Spell(Device)}' of user '{User}'";

    private static RequestRefusedException NoSuchUser() => new(Problem.NotFound, "There is no such user.");
}

/// <summary>
/// One line for each thing that an operator does, in a log category of its own: it names users, as no other log may.
/// </summary>
internal static class Audit
{
    public const string Category = "Mirubato.Audit";

    /// <summary>What came in a path, as a line may hold it: a line break in it would write a line of its own.</summary>
    public static string Spell(string id) => UsableId.Is(id) ? id : "";

    /// <summary>What changes something must be confirmed by name, in a header that no page of another site can send.</summary>
    public static Task Act(HttpContext http, string action, string whom, Func<Task> work) =>
        http.Request.Headers[CommonHeaders.Confirm].ToString() == action
            ? Note(http, action, whom, work)
            : throw new RequestRefusedException(
                Problem.ConfirmationRequired, $"Send the header 'Confirm: {action}' to do this; nothing was done.");

    /// <summary>
    /// The line is written before the answer begins, so that every look at a user's data is logged, whatever happens then.
    /// </summary>
    public static async Task Note(HttpContext http, string action, string whom, Func<Task> work)
    {
        var log = http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(Category);
        var who = http.User.FindFirst(ClaimTypes.Name)?.Value ?? "";
        var isNoted = false;
        http.Response.OnStarting(() =>
        {
            NoteDone();
            return Task.CompletedTask;
        });
        try
        {
            await work();
            NoteDone();
        }
        catch (Exception failure)
        {
            isNoted = true;
            var outcome = failure is RequestRefusedException refused ? refused.Message : failure.GetType().Name;
            Log.OperatorFailed(log, who, action, whom, outcome);
            throw;
        }

        void NoteDone()
        {
            if (!isNoted) Log.OperatorDid(log, who, action, whom);
            isNoted = true;
        }
    }
}
