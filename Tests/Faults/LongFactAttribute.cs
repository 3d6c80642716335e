namespace Mirubato.Tests.Faults;

/// <summary>Takes minutes: only in <c>./test --faults</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute()
    {
        if (!FaultSettings.IsLong) Skip = "It takes minutes: ./test --faults runs it.";
    }
}
