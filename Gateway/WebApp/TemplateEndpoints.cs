using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.WebApp;

internal static class TemplateEndpoints
{
    private const string Absent = "You have no such template. Templates of other users are not kept within your reach.";

    public static void MapTemplates(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/templates/adopt", Adopt).Says("Copies a template of the user's own into a plan with its first occurrence.")
            .Takes(Header.Key, Header.StandardKey).Reads<Adoption>().Gives<AdoptedAnswer>().Replays().Fails(404, 413, 415, 422);

    /// <summary>Plan, occurrence and the template's count are one transaction, made again when the template changed meanwhile.</summary>
    private static async Task Adopt(Call call, RequestBodies bodies)
    {
        var body = await bodies.Read(call.Http, call.Caller.User);
        var sent = JsonMembers.ParseRequest(body);
        var (templateId, customization) = (sent.RequiredText("templateId"), AdoptedPlan.ParseCustomization(sent));
        var (documents, key) = (new Documents(call), RequestKey.From(call, body));
        var id = key.FreshId();
        var (plan, occurrence) = (
            new EntityKey(EntityTypes.PracticePlan.Name, $"plan_{id}"), new EntityKey(EntityTypes.PlanOccurrence.Name, $"plan_occ_{id}"));
        await documents.UpdateTogether(key, async () =>
        {
            var template = await documents.Get(EntityTypes.PlanTemplate, templateId, Absent);
            var made = new AdoptedPlan(templateId, template.Members, customization, call.Caller.User, documents.NowMs);
            return (
                template,
                [
                    (plan, 0, made.Plan()), (occurrence, 0, made.Occurrence(plan.Id, await Segments(call, template.Members))),
                    (template.Row!.Entity, template.Row.Version, made.Counted()),
                ]);
        });
        var answer = new AdoptedAnswer(
            true, await Stored(documents, EntityTypes.PracticePlan, plan),
            [await Stored(documents, EntityTypes.PlanOccurrence, occurrence)]);
        await call.Http.Answer(answer, WebAppJson.Default.AdoptedAnswer);
    }

    private static async ValueTask<JsonBytes> Stored(Documents documents, EntityType type, EntityKey key) =>
        new((await documents.Get(type, key.Id, "The adopted plan was deleted since.")).Row!.Data);

    /// <summary>Of the newest occurrence of the plan that the template was made from, else of the template's own preview.</summary>
    private static async ValueTask<JsonValue> Segments(Call call, JsonMembers template)
    {
        var (newest, segments) = (long.MinValue, template["metadata"].Members()?["preview"].Members()?["segments"] ?? default);
        if (template["sourcePlanId"].Text() is { } source)
        {
            await foreach (var row in Logbook.Rows(call, EntityTypes.PlanOccurrence))
            {
                var occurrence = JsonMembers.ParseStored(row.Data);
                if (row.UpdatedAtMs <= newest || occurrence["planId"].Text() != source || occurrence["segments"].Elements().Count == 0)
                {
                    continue;
                }
                (newest, segments) = (row.UpdatedAtMs, occurrence["segments"]);
            }
        }

        return segments.IsList ? segments : JsonValue.EmptyList;
    }
}
