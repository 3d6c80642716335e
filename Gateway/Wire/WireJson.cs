using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mirubato.Gateway.Wire;

/// <summary>How answers are spelled: camelCase, absent instead of null, text as it is.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProblemAnswer))]
[JsonSerializable(typeof(PushAnswer))]
[JsonSerializable(typeof(BatchAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(ConflictsAnswer))]
[JsonSerializable(typeof(DevicesAnswer))]
[JsonSerializable(typeof(HistoryAnswer))]
[JsonSerializable(typeof(RewindAnswer))]
[JsonSerializable(typeof(RewindShape))]
[JsonSerializable(typeof(ErasedAnswer))]
[JsonSerializable(typeof(SignedOutAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(UpgradeRefusal))]
[JsonSerializable(typeof(TicketAnswer))]
[JsonSerializable(typeof(ExportLine))]
[JsonSerializable(typeof(PushShape))]
[JsonSerializable(typeof(BatchShape))]
[JsonSerializable(typeof(PullShape))]
[JsonSerializable(typeof(PullAnswerShape))]
internal sealed partial class WireJson : JsonSerializerContext
{
    static WireJson()
    {
        // Nothing of this is ever put into a page, so letters of every script go out as they are.
        Default = new WireJson(new JsonSerializerOptions(s_defaultOptions) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
