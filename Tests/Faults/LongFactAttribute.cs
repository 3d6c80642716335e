namespace Mirubato.Tests.Faults;

/// <summary>Takes half a minute and more: only in <c>./test --faults</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute()
    {
        if (!FaultSettings.IsLong) Skip = "It takes long: ./test --faults runs it.";
    }
}
