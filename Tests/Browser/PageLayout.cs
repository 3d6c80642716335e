using Microsoft.Playwright;

namespace Mirubato.Tests.Browser;

/// <summary>Whether a page fits its window, whatever font it is shown in.</summary>
internal static class PageLayout
{
    /// <summary>
    /// Elements and lines of text outside the window, and lines of text over each other. The width of the document alone does not tell:
    /// a card clips what is too wide for it. Text cut with an ellipsis may be wider, and so may what an element lets one scroll to.
    /// </summary>
    private const string FindFaults =
        """
        () => {
          const width = document.documentElement.clientWidth, wide = document.documentElement.scrollWidth - width;
          const faults = wide > 0 ? [`The page is ${wide} px too wide.`] : [];
          const range = document.createRange(), lines = [];
          for (const element of document.body.querySelectorAll('*')) {
            if (element.closest('.unseen, .skip, .frames') || !element.checkVisibility({ visibilityProperty: true })) continue;
            const boxes = [element.getBoundingClientRect()];
            for (const node of element.childNodes) {
              if (node.nodeType !== Node.TEXT_NODE || getComputedStyle(element).textOverflow === 'ellipsis') continue;
              range.selectNodeContents(node);
              for (const box of range.getClientRects()) {
                boxes.push(box);
                lines.push({ box, node, text: node.data.trim().slice(0, 30) });
              }
            }
            if (boxes.some(box => box.left < -.5 || box.right > width + .5))
              faults.push(`${element.localName}.${element.className} is outside.`);
          }
          lines.forEach((one, i) => lines.slice(i + 1).forEach(other => {
            const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
            const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
            if (one.node !== other.node && across > 1 && down > one.box.height / 2)
              faults.push(`'${one.text}' and '${other.text}' overlap.`);
          }));
          return faults;
        }
        """;

    public static Task<string[]> Faults(IPage page) => page.EvaluateAsync<string[]>(FindFaults);

    /// <summary>
    /// On each page that is loaded from now on. The policy of the page forbids style elements of others, but not adopted sheets.
    /// </summary>
    public static Task ForceLetterSpacing(IBrowserContext profile, string spacing) => profile.AddInitScriptAsync(
        $$"""
        const forced = new CSSStyleSheet();
        forced.replaceSync('* { letter-spacing: {{spacing}} !important; }');
        document.adoptedStyleSheets = [forced];
        """);
}
