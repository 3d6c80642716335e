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
        var (logs, use) = (new CapturedLogs(), new Broken());
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.Services.AddSingleton<IFirstUse>(use);
        await using var app = builder.Build();

        var running = FirstRequest.Start(app);
        if (ends) app.Lifetime.StopApplication();
        use.Go.SetResult();
        await running;

        Assert.Equal(!ends, logs.Hold("The first use"));
    }

    private sealed class Broken : IFirstUse
    {
        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task Run()
        {
            await Go.Task;
            throw new InvalidOperationException("broken");
        }
    }
}
