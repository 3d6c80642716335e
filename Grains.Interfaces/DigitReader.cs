namespace Mirubato.Grains.Interfaces;

/// <summary>Reads the fixed fields of a written time from the left.</summary>
internal ref struct DigitReader(ReadOnlySpan<byte> text)
{
    private const int FractionDigitsMax = 9;
    private ReadOnlySpan<byte> rest = text;

    public readonly bool IsAtEnd => rest.IsEmpty;

    public bool Take(char expected)
    {
        if (rest.IsEmpty || rest[0] != expected) return false;
        rest = rest[1..];
        return true;
    }

    public bool Number(int digits, out int value)
    {
        value = 0;
        if (rest.Length < digits) return false;
        for (var i = 0; i < digits; i++)
        {
            var digit = rest[i] - '0';
            if (digit is < 0 or > 9) return false;
            value = (value * 10) + digit;
        }

        rest = rest[digits..];
        return true;
    }

    /// <summary>One to nine digits after the point, as thousandths, rounded down.</summary>
    public bool Fraction(out int thousandths)
    {
        thousandths = 0;
        var end = rest.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        var count = end < 0 ? rest.Length : end;
        if (count is 0 or > FractionDigitsMax) return false;
        for (var i = 0; i < 3; i++) thousandths = (thousandths * 10) + (i < count ? rest[i] - '0' : 0);
        rest = rest[count..];
        return true;
    }
}
