using System.Text;
using Mirubato.Gateway.Errors;
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

    /// <summary>Whatever the item holds behind the member it is refused for.</summary>
    [Theory]
    [InlineData("""{"type":7,"data":{"a":[{"b":{}},[]]},"id":"x"}""", ItemRefusal.Invalid)]
    [InlineData("""{"type":{"a":{"b":[1,{}]}},"id":"x","data":{}}""", ItemRefusal.Invalid)]
    [InlineData("""{"id":"x","id":"y","data":{"a":{"type":"goal"}}}""", ItemRefusal.DuplicateKeys)]
    [InlineData("""{"type":"goal","id":"x","data":{"a":{}},"id":[{}]}""", ItemRefusal.DuplicateKeys)]
    [InlineData("""[{"type":"goal","id":"x","data":{}}]""", ItemRefusal.Invalid)]
    [InlineData("{}", ItemRefusal.UnknownType)]
    [InlineData("null", ItemRefusal.Invalid)]
    public void The_item_after_a_refused_one_is_read_from_its_start(string refused, ItemRefusal why)
    {
        var body = $$$"""{"entities":[{{{refused}}},{"type":"goal","id":"good","data":{"a":1}}],"syncToken":null}""";

        var changes = BatchRequest.Parse(Encoding.UTF8.GetBytes(body)).Changes;

        Assert.Equal([why, ItemRefusal.None], changes.Select(change => change.Refused));
        Assert.Equal(("goal", "good"), (changes[1].Type, changes[1].Id));
    }

    /// <summary>Also behind a member for which the item alone would have been refused.</summary>
    [Theory]
    [InlineData("""{"type":"goal","id":"x","data":{"a":tru}}""")]
    [InlineData("""{"type":7,"data":{"a":[}}""")]
    [InlineData("""{"type":7,"data":{"a":1}""")]
    public void What_is_not_JSON_sinks_the_batch_and_is_named_by_its_item(string item)
    {
        var body = $$$"""{"entities":[{"type":"goal","id":"good","data":{}},{{{item}}}]}""";

        var e = Assert.Throws<RequestRefusedException>(() => BatchRequest.Parse(Encoding.UTF8.GetBytes(body)));

        Assert.Equal((Problem.InvalidJson, "$.entities[1]"), (e.Problem, e.Path));
    }
}
