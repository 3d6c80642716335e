using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Gateway;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

public sealed class FirstRequestTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failure_is_logged_unless_the_process_ends(bool ends)
    {
        var (logs, use) = (new CapturedLogs(), new TaskCompletionSource());
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.Services.AddSingleton(new FirstUse(use.Task));
        await using var app = builder.Build();

        var running = FirstRequest.Start(app);
        if (ends) app.Lifetime.StopApplication();
        use.SetException(new InvalidOperationException("the use is broken"));
        await running;

        Assert.Equal(!ends, logs.Hold("The first use"));
        Assert.Equal(!ends, logs.Hold("the use is broken"));
    }
}
