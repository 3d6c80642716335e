using System.Security.Cryptography;
using System.Text;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

/// <summary>
/// The idempotency key of a call and the body it is bound to. A key belongs to its endpoint; receipts know only the scope of a push, so the
/// method and path go into the key itself, hashed to keep it a usable id.
/// </summary>
/// <param name="Value">Null: executed each time it arrives.</param>
internal readonly record struct RequestKey(string? Value, ReadOnlyMemory<byte> Body)
{
    public static RequestKey From(Call call, ReadOnlyMemory<byte> body)
    {
        if (WriteEndpoints.Key(call.Http) is not { } key) return new RequestKey(null, body);
        var request = call.Http.Request;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path.Value?.ToLowerInvariant()}\n{key}"));
        return new RequestKey($"web-app:{Convert.ToHexStringLower(hash)}", body.IsEmpty ? "{}"u8.ToArray() : body);
    }

    /// <summary>An id for what the request creates: the same at each repetition under a key.</summary>
    public string FreshId() => Value is null ? Guid.CreateVersion7().ToString() : Value[^32..];
}
