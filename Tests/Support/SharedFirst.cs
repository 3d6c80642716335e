using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Mirubato.Tests.Support.SharedFirst", "Mirubato.Tests")]

namespace Mirubato.Tests.Support;

/// <summary>Classes that share a fixture run one after the other and so take longest: they begin first.</summary>
public sealed class SharedFirst : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => collection.CollectionDefinition is null).ThenBy(collection => collection.DisplayName);
}
