using Mirubato.Gateway.Wire;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

public sealed class FirstWriteTests
{
    [Fact]
    public async Task It_is_answered_like_any_push()
    {
        var answers = new Watched();

        await new FirstWrite(answers, new Quotas()).Run();

        Assert.Equal(ItemStatus.Created, Assert.Single(answers.Outcome!.Items).Status);
    }

    [Fact]
    public async Task One_that_is_not_answered_is_no_success() =>
        await Assert.ThrowsAsync<InvalidOperationException>(new FirstWrite(new Broken(), new Quotas()).Run);

    [Theory]
    [InlineData(2, false)]
    [InlineData(0, true)]
    public async Task It_deletes_what_a_killed_process_left_an_hour_ago(int hoursOld, bool stays)
    {
        var left = Directory.CreateTempSubdirectory("mirubato-first-write-");
        await File.WriteAllTextAsync(Path.Combine(left.FullName, "scratch.db"), "");
        left.LastWriteTimeUtc = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-hoursOld);

        await new FirstWrite(new WireAnswers(), new Quotas()).Run();

        left.Refresh();
        Assert.Equal(stays, left.Exists);
        if (stays) left.Delete(recursive: true);
    }

    private sealed class Watched : IAnswerFormat
    {
        public WriteOutcome? Outcome { get; private set; }

        public (int Status, ReadOnlyMemory<byte> Body) Write(WriteRequest request, WriteOutcome outcome)
        {
            Outcome = outcome;
            return new WireAnswers().Write(request, outcome);
        }
    }

    private sealed class Broken : IAnswerFormat
    {
        public (int Status, ReadOnlyMemory<byte> Body) Write(WriteRequest request, WriteOutcome outcome) =>
            throw new NotSupportedException();
    }
}
