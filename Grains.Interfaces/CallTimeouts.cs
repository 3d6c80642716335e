namespace Mirubato.Grains.Interfaces;

/// <summary>How long a caller waits for an answer of a grain. No answer to a write says nothing about its outcome.</summary>
public static class CallTimeouts
{
    public const string HistoryState = "00:00:01";
    public const string Roster = "00:00:02";
    public const string Announcement = "00:00:02";
    public const string Write = "00:00:30";
    public const string Read = "00:00:15";
}
