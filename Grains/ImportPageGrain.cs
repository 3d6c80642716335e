namespace Mirubato.Grains;

/// <summary>One page of an import's refused rows, as a state of its own, so that the import's own state stays small.</summary>
[GrainType("mirubato-import-page")]
internal sealed class ImportPageGrain([PersistentState("import-page")] IPersistentState<ImportPage> state) : Grain, IImportPageGrain
{
    public static string Key(string import, int page) => $"{import}:{page}";

    public Task Write(ImportRefusal[] rows)
    {
        state.State = new ImportPage(rows);
        return state.WriteStateAsync(CancellationToken.None);
    }

    public Task<ImportRefusal[]> Read() => Task.FromResult(state.State.Rows ?? []);

    public Task Clear() => state.ClearStateAsync(CancellationToken.None);
}

[GenerateSerializer, Immutable, Alias("mirubato.import-page-state")]
internal sealed record ImportPage([property: Id(0)] ImportRefusal[]? Rows)
{
    public ImportPage()
        : this((ImportRefusal[]?)null)
    {
    }
}
