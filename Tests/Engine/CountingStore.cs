using System.Collections.Concurrent;
using System.Reflection;
using Mirubato.Grains.Storage;

namespace Mirubato.Tests.Engine;

/// <summary>A store that counts its calls, before a real one or before answers of the test's own.</summary>
public class CountingStore : DispatchProxy
{
    private readonly ConcurrentDictionary<string, int> calls = new();
    private IUserStore? behind;

    /// <summary>By the name of the call: what answers it.</summary>
    internal Dictionary<string, Func<object?[], object>> Instead { get; } = [];

    internal IUserStore Store => (IUserStore)(object)this;

    internal int Total => calls.Values.Sum();

    internal static CountingStore Over(IUserStore? store)
    {
        var counting = (CountingStore)(object)Create<IUserStore, CountingStore>();
        counting.behind = store;
        return counting;
    }

    internal int Calls(string name) => calls.GetValueOrDefault(name);

    internal void Reset() => calls.Clear();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        calls.AddOrUpdate(targetMethod!.Name, 1, (_, before) => before + 1);
        return Instead.TryGetValue(targetMethod.Name, out var answer)
            ? answer(args ?? [])
            : targetMethod.Invoke(behind, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
