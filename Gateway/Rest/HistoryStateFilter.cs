
namespace Mirubato.Gateway.Rest;

/// <summary>For calls whose answer carries no history state of its own: a signed-out token or a revoked device gets no further.</summary>
internal sealed class HistoryStateFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var call = context.Arguments.OfType<Call>().Single();
        var history = await call.Coordinator.HistoryState(call.Caller, call.Cancel);
        RequestRefusedException.ThrowIf(history.Refusal(call.Caller));
        return await next(context);
    }
}
