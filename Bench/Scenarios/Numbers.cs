namespace Mirubato.Bench.Scenarios;

/// <summary>Hands each sending numbers that none before it had, whichever worker sends.</summary>
internal sealed class Numbers(TimeProvider time)
{
    private long next;

    public void Fill(RequestTemplate template)
    {
        if (template.Slots.IsEmpty)
            return;
        var first = Interlocked.Add(ref next, template.Items) - template.Items;
        template.Fill(first, time.GetUtcNow());
    }
}
