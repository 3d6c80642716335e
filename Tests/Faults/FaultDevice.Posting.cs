using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Faults;

/// <summary>Its requests: to any gateway, under the same key until it is answered.</summary>
internal sealed partial class FaultDevice
{
    private const int AttemptsOfPageLoad = 5;

    private readonly Random whereToPost = new(unchecked((world.Seed * 37) + number));
    private readonly HttpClient http = new(
        new SocketsHttpHandler { UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(2) })
    { Timeout = TimeSpan.FromSeconds(8) };

    private async Task KeepPosting()
    {
        var failures = 0;
        while (!over.IsCancellationRequested)
        {
            var next = bell.Next;
            if (TakeForHttp() is not { } change)
            {
                await next;
                continue;
            }

            if (await Post(change.Path, change.Body, change.Key) is { } answer)
            {
                failures = 0;
                lock (gate) Posted(change, answer.Body, answer.IsReplay);
                bell.Ring();
            }
            else await FaultWorld.For(Math.Min(BackoffMs << Math.Min(failures++, 10), BackoffMostMs));
        }
    }

    private FaultChange? TakeForHttp()
    {
        lock (gate) return isOffline ? null : pending.Find(change => change.ByHttp);
    }

    /// <summary>Null: not stored, or unknown. To be sent again under the same key.</summary>
    private async Task<(string Body, bool IsReplay)?> Post(string path, string body, string? key)
    {
        try
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Post, new Uri(world.Gateways[whereToPost.Next(world.Gateways.Count)], path));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Edge.Token(user));
            request.Headers.Add("X-Device-ID", Name);
            if (key is not null) request.Headers.Add("X-Idempotency-Key", key);
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await http.SendAsync(request, over.Token);
            var text = await response.Content.ReadAsStringAsync(over.Token);
            if (response.IsSuccessStatusCode) return (text, response.Headers.Contains("X-Idempotent-Replay"));
            world.Count($"http {(int)response.StatusCode}");
            if ((int)response.StatusCode != 503)
            {
                world.Fault($"{Name} was answered {(int)response.StatusCode} to {path} under {key}: {text}");
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or IOException)
        {
            world.Count("http cut off");
            lastFailure = failure.Message;
        }

        return null;
    }

    private void Posted(FaultChange change, string body, bool isReplay)
    {
        if (change.HttpAnswer is { } first)
        {
            world.Count("repeated by http");
            if (first != body || !isReplay)
            {
                world.Fault(
                    $"{change} by HTTP was answered '{first}', and when it was sent again '{body}'{(isReplay ? "" : ", not as a replay")}");
            }
        }

        change.HttpAnswer = body;
        change.ByHttp = false;
        using var answer = JsonDocument.Parse(body);
        var results = answer.RootElement.GetProperty("results")
            .EnumerateArray()
            .ToDictionary(result => result.GetProperty("entityId").GetString()!);
        foreach (var item in change.Items) Result(change, item, results);
        if (!legacy) TakeOver(change, answer.RootElement.GetProperty("conflicts"));
        if (change.TokenSeq is { } from && change.Items[0].Entity.Type.Section is not null)
            world.Tokens.Enqueue(new TokenGiven(user, from, answer.RootElement.GetProperty("lastSeq").GetInt64(), change.Items[0].Marker));
        Settled(change);
    }

    /// <summary>Winning copies. Existing clients read nothing of an answer but that it came.</summary>
    private void TakeOver(FaultChange change, JsonElement conflicts)
    {
        foreach (var conflict in conflicts.EnumerateArray())
        {
            var entity = change.Items.First(item => item.Entity.Id == conflict.GetProperty("entityId").GetString()).Entity;
            if (conflict.TryGetProperty("server", out var server))
                Merge(FaultFrames.Winner(server, entity), $"the HTTP answer to {change}");
        }
    }

    private void Result(FaultChange change, FaultItem item, Dictionary<string, JsonElement> results)
    {
        // What is not listed is unchanged: the store held it already, by the other path.
        if (!results.TryGetValue(item.Entity.Id, out var result))
        {
            Acknowledge(change, item, "unchanged", null, 0, "http");
            return;
        }

        var version = result.TryGetProperty("version", out var named) ? named.GetInt64() : (long?)null;
        var status = result.GetProperty("status").GetString()!;
        if (change.Items.Count == 1) change.IsBeaten = status is "conflict";
        Acknowledge(
            change, item, status, version,
            result.TryGetProperty("updatedAt", out var at) ? FaultFrames.Ms(at) : 0, "http");
    }

    /// <summary>The whole logbook, before anything is received, as existing clients do at each start.</summary>
    private async Task PushAll()
    {
        var changes = new JsonObject();
        foreach (
            var copies in Live.Values.Where(
                copy => copy is { Raw: not null, Entity.Type.Section: not null }).GroupBy(copy => copy.Entity.Type))
        {
            var documents = copies.Select(copy => JsonNode.Parse(copy.Raw!)!).ToArray();
            changes[copies.Key.Section!] = copies.Key.IsPreferences ? documents[0] : new JsonArray(documents);
        }

        var body = new JsonObject { ["changes"] = changes }.ToJsonString();
        for (var attempt = 0; attempt < AttemptsOfPageLoad; attempt++)
        {
            if (await Post("/api/sync/push", body, null) is not null) return;
        }
    }

    private async Task<string> Epoch()
    {
        while (true)
        {
            if (await Post("/api/sync/pull", "{}", null) is { } answer)
                return JsonDocument.Parse(answer.Body).RootElement.GetProperty("syncToken").GetString()!.Split('.')[0];
        }
    }
}
