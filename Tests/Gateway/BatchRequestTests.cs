using System.Text;
using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

public sealed class BatchRequestTests
{
    /// <summary>A type that comes again is one object, and the names seen are kept in one set.</summary>
    [Fact]
    public void An_item_takes_nothing_from_the_one_before_it()
    {
        const string body = """
            {"entities":[
            {"type":"goal","id":"a","data":{}},{"id":"b","data":{}},{"type":"goal","id":"c","data":{}},{"type":null,"id":"d","data":{}}]}
            """;

        var changes = BatchRequest.Parse(Encoding.UTF8.GetBytes(body)).Changes;

        Assert.Equal(["goal", "", "goal", ""], changes.Select(change => change.Type));
        Assert.Equal(
            [ItemRefusal.None, ItemRefusal.UnknownType, ItemRefusal.None, ItemRefusal.UnknownType],
            changes.Select(change => change.Refused));
    }
}
