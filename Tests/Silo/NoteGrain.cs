namespace Mirubato.Tests.Silo;

/// <summary>A grain that does nothing but keep a state.</summary>
[Alias("mirubato.tests.note")]
internal interface INoteGrain : IGrainWithStringKey
{
    [Alias("Read")]
    Task<string?> Read();

    [Alias("Write")]
    Task Write(string text);

    [Alias("Clear")]
    Task Clear();
}

internal sealed class NoteGrain([PersistentState("note")] IPersistentState<NoteState> state) : Grain, INoteGrain
{
    public Task<string?> Read() => Task.FromResult(state.RecordExists ? state.State.Text : null);

    public Task Write(string text)
    {
        state.State = new NoteState { Text = text };
        return state.WriteStateAsync();
    }

    public Task Clear() => state.ClearStateAsync();
}

[GenerateSerializer, Immutable, Alias("mirubato.tests.note-state")]
internal sealed record NoteState
{
    [Id(0)]
    public string Text { get; init; } = "";
}
