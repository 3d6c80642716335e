using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Rest;

/// <summary>For calls whose answer carries no standing of its own: a signed-out token or a revoked device gets no further.</summary>
internal sealed class StandingFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var call = context.Arguments.OfType<Call>().Single();
        var standing = await call.Coordinator.Standing(call.Caller, call.Cancel);
        RequestRefusedException.ThrowIf(standing.Refusal(call.Caller));
        return await next(context);
    }
}
