using Microsoft.AspNetCore.Http.Features;

namespace Mirubato.Gateway.Http;

/// <summary>
/// The user, and the device or the entity if one is named, of a call of the Admin API. They stand in its path, and no log or span may hold
/// them, so they are taken out of it before anything sees it, and <c>hidden</c> stands there instead.
/// </summary>
/// <param name="Device">Empty where there is none; likewise the entity.</param>
internal sealed record HiddenIds(string User, string Device, string Entity)
{
    public const string Prefix = "/admin/v1/users/";

    private const string Shown = "hidden";
    private const int UserAt = 4;
    private const int WhatAt = 5;
    private const int DeviceAt = 6;
    private const int EntityAt = 7;

    /// <summary>
    /// From the raw target, where a slash inside an id stays encoded. A path that is spelt in another way, with dots for instance, could
    /// have its ids elsewhere: it is not found.
    /// </summary>
    public static void Hide(IFeatureCollection features, IHttpRequestFeature request)
    {
        var target = request.RawTarget.Split('?', 2);
        var segments = target[0].Split('/');
        if (!$"{string.Join('/', segments[..Math.Min(UserAt, segments.Length)])}/".Equals(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            request.Path = request.RawTarget = QueryRedaction.NoPath;
            return;
        }

        // Of an entity logs may see the type, which stands before its id.
        var isEntity = segments.Length > EntityAt && segments[WhatAt].Equals("history", StringComparison.OrdinalIgnoreCase);
        features.Set(
            new HiddenIds(Take(segments, UserAt), isEntity ? "" : Take(segments, DeviceAt), isEntity ? Take(segments, EntityAt) : ""));
        request.Path = string.Join('/', segments);
        request.RawTarget = target.Length == 1 ? request.Path : $"{request.Path}?{target[1]}";
    }

    private static string Take(string[] segments, int at)
    {
        if (segments.Length <= at) return "";
        var id = Uri.UnescapeDataString(segments[at]);
        segments[at] = Shown;
        return id;
    }
}
