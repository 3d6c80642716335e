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
