using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mirubato.Gateway.WebApp;

/// <summary>How these calls answer: camelCase, absent instead of null, text as it is, like everything else here.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(StoredText)])]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(MessageAnswer))]
[JsonSerializable(typeof(RepertoireItem))]
[JsonSerializable(typeof(RepertoireAnswer))]
[JsonSerializable(typeof(NewRepertoireItem))]
[JsonSerializable(typeof(RepertoireChange))]
[JsonSerializable(typeof(DissociatedAnswer))]
[JsonSerializable(typeof(RepertoireStatsAnswer))]
[JsonSerializable(typeof(Goal))]
[JsonSerializable(typeof(GoalsAnswer))]
[JsonSerializable(typeof(NewGoal))]
[JsonSerializable(typeof(GoalProgress))]
[JsonSerializable(typeof(ProgressAnswer))]
[JsonSerializable(typeof(Renaming))]
[JsonSerializable(typeof(RenamedAnswer))]
[JsonSerializable(typeof(SuggestionsAnswer))]
[JsonSerializable(typeof(SignedOut))]
[JsonSerializable(typeof(Adoption))]
[JsonSerializable(typeof(AdoptedAnswer))]
internal sealed partial class WebAppJson : JsonSerializerContext
{
    static WebAppJson()
    {
        Default = new WebAppJson(new JsonSerializerOptions(s_defaultOptions) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
