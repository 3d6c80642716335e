using System.Text;

namespace Mirubato.Grains.Domain;

/// <summary>Texts that come again and again, as small numbers.</summary>
internal sealed class Names
{
    private readonly Dictionary<string, int> numbers = [];
    private readonly List<string> texts = [];
    private byte[] lastBytes = [];
    private int last;

    public string this[int number] => texts[number];

    public int NumberOf(string text)
    {
        if (last < texts.Count && texts[last] == text) return last; // Most often the same again.
        if (!numbers.TryGetValue(text, out var number))
        {
            number = texts.Count;
            numbers.Add(text, number);
            texts.Add(text);
        }

        (last, lastBytes) = (number, []);
        return number;
    }

    /// <param name="text">In UTF-8.</param>
    public int NumberOf(ReadOnlySpan<byte> text)
    {
        if (lastBytes.Length == 0 || !text.SequenceEqual(lastBytes))
        {
            NumberOf(Encoding.UTF8.GetString(text));
            lastBytes = text.ToArray();
        }

        return last;
    }
}
