using System.Globalization;

namespace Mirubato.Gateway.Wire;

internal static class QueryLimit
{
    public static int? Parse(IQueryCollection query, int max)
    {
        if (query["limit"].ToString() is not { Length: > 0 } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1 && limit <= max
            ? limit
            : throw new RequestRefusedException(
                Problem.InvalidParameter, $"limit is '{JsonBodyReader.Cut(text)}': it must be a whole number from 1 to {max}.", "limit");
    }
}
