namespace Mirubato.Bench.Ws;

/// <summary>Who looks at the frames of a connection, one at a time, on the socket's own thread.</summary>
internal interface IFrameSink
{
    void Frame(ReadOnlySpan<byte> json);

    void Over(string why);
}
