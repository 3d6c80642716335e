namespace Mirubato.Grains.Domain;

/// <summary>Texts that come again and again, as small numbers.</summary>
internal sealed class Names
{
    private readonly Dictionary<string, int> numbers = [];
    private readonly List<string> texts = [];
    private int last;

    public string this[int number] => texts[number];

    public int NumberOf(string text)
    {
        if (last < texts.Count && texts[last] == text) return last; // Most often the same again.
        if (!numbers.TryGetValue(text, out last))
        {
            last = texts.Count;
            numbers.Add(text, last);
            texts.Add(text);
        }

        return last;
    }
}
