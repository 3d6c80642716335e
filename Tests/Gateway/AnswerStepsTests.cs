using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.Http;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Gateway;

/// <summary>An answer goes out as fast as it is read, over a pipe that behaves like the server's own.</summary>
public sealed class AnswerStepsTests : IDisposable
{
    private readonly WatchedClock clock = new();
    private readonly Pipe pipe = new(
        new PipeOptions(
            pauseWriterThreshold: Limits.AnswerStepBytes, resumeWriterThreshold: Limits.AnswerStepBytes, useSynchronizationContext: false));
    private readonly CancellationTokenSource aborted = new();
    private readonly AnswerSteps steps;

    public AnswerStepsTests()
    {
        var http = new DefaultHttpContext
        {
            RequestServices = new ServiceCollection().AddKeyedSingleton<TimeProvider>(ServerClock.Key, clock).BuildServiceProvider(),
        };
        http.Features.Set<IHttpResponseBodyFeature>(new PipeBody(pipe.Writer));
        http.Features.Set<IHttpRequestLifetimeFeature>(new Lifetime(aborted));
        steps = new AnswerSteps(http);
    }

    public void Dispose() => aborted.Dispose();

    [Fact]
    public async Task A_client_that_does_not_read_holds_one_step()
    {
        var writing = steps.Write(new byte[10 * Limits.AnswerStepBytes]).AsTask();
        for (var step = 0; step < 10; step++)
        {
            var held = await pipe.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(Limits.AnswerStepBytes, held.Buffer.Length);
            Assert.Equal(0, pipe.Writer.UnflushedBytes);
            Assert.False(writing.IsCompleted);
            pipe.Reader.AdvanceTo(held.Buffer.End);
        }

        await writing;
    }

    [Fact]
    public async Task Short_pieces_are_sent_together()
    {
        for (var i = 0; i < Limits.AnswerStepBytes - 1; i++) await steps.Write(new byte[1]);
        Assert.False(pipe.Reader.TryRead(out _));
        var full = steps.Write(new byte[1]).AsTask();
        Assert.True(pipe.Reader.TryRead(out var step));
        Assert.Equal(Limits.AnswerStepBytes, step.Buffer.Length);
        pipe.Reader.AdvanceTo(step.Buffer.End);
        await full;
    }

    [Fact]
    public async Task A_step_may_wait_for_60_seconds_and_no_longer()
    {
        var writing = steps.Write(new byte[3 * Limits.AnswerStepBytes]).AsTask();
        clock.Advance(TimeSpan.FromMilliseconds(Limits.AnswerStalledMs - 1));
        var held = await pipe.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        pipe.Reader.AdvanceTo(held.Buffer.End);

        // The next step has as long again.
        Assert.True(SpinWait.SpinUntil(() => clock.Begun(Limits.AnswerStalledMs) == 2, TimeSpan.FromSeconds(30)));
        clock.Advance(TimeSpan.FromMilliseconds(Limits.AnswerStalledMs - 1));
        Assert.False(writing.IsCompleted);
        Assert.False(aborted.IsCancellationRequested);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(aborted.IsCancellationRequested);
    }

    private sealed class Lifetime(CancellationTokenSource aborted) : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; } = aborted.Token;

        public void Abort() => aborted.Cancel();
    }

    private sealed class PipeBody(PipeWriter writer) : IHttpResponseBodyFeature
    {
        public Stream Stream => Writer.AsStream();

        public PipeWriter Writer { get; } = writer;

        public Task CompleteAsync() => Task.CompletedTask;

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
    }
}
