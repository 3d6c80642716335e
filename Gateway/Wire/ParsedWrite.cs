using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Wire;

/// <summary>The items of a write and the cursor that came along.</summary>
internal sealed record ParsedWrite(List<Change> Changes, SyncToken Cursor);
