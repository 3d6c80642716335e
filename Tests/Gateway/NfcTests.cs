using Mirubato.Gateway;

namespace Mirubato.Tests.Gateway;

public sealed class NfcTests
{
    [Theory]
    [InlineData("Debussy", "Debussy")]
    [InlineData("Dvor\u030ca\u0301k", "Dvo\u0159\u00e1k")]
    [InlineData("Dvo\u0159\u00e1k", "Dvo\u0159\u00e1k")]
    [InlineData("a\u0323\u0302", "\u1ead")]
    [InlineData("\u304b\u3099", "\u304c")]
    [InlineData("\u1112\u1161\u11ab", "\ud55c")]
    [InlineData("\u0301", "\u0301")]
    [InlineData("q\u0301", "q\u0301")]
    [InlineData("\ud83c", "\ud83c")]
    [InlineData("", "")]
    public void A_name_is_composed(string text, string composed) => Assert.Equal(composed, Nfc.Compose(text));
}
