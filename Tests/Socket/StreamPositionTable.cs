namespace Mirubato.Tests.Sockets;

/// <summary>
/// What each event does in each state of a <c>StreamPosition</c>: event | state before | state after and last revision sent | effects |
/// frames the sender takes | frames that follow once the socket was sent everything | an end of catch-up that is owed. A cell that is
/// not listed changes nothing.
/// </summary>
internal static class StreamPositionTable
{
    private const string Table = """
        Request | Greeted | CatchingUp 0 | StartReader |  | Stream 9000 |
        Request | EndQueued | CatchingUp 5 | StartReader | Stream 5, End 5 | Stream 9000 |
        Request | Live | CatchingUp 5 | StartReader |  | Stream 9000 |
        Request | Writing | CatchingUp 5 | StartReader |  | Stream 9000 |
        Request | SlotKept | CatchingUp 6 | StartReader |  |  |
        Request | AckWaits | CatchingUp 5 | StartReader |  | Stream 9000, Ack 2000 |
        Request | OldAckWaits | CatchingUp 5 | StartReader |  | Stream 9000, Ack 1500 |
        Request | Full | CatchingUp 1005 | StartReader | Stream 6 .. Stream 1005 (1000) | Stream 9000 |
        ReplayUnrequested | Greeted | CatchingUp 0 | StartReader |  | Stream 9000 |
        BeginWindow | Greeted | Greeted 3 | None |  |  |
        BeginWindow | InWindow | CatchingUp 3 | None |  | Stream 9000 |
        BeginWindow | EndQueued | Live 3 | None | Stream 5, End 5 | Stream 9000 |
        BeginWindow | Live | Live 3 | None |  | Stream 9000 |
        BeginWindow | Writing | Live 3 | None |  | Stream 9000 |
        BeginWindow | SlotKept | Live 3 | None |  |  |
        BeginWindow | AckWaits | Live 3 | None |  | Stream 9000, Ack 2000 |
        BeginWindow | OldAckWaits | Live 3 | None |  | Stream 9000, Ack 1500 |
        BeginWindow | Full | Live 3 | None | Stream 6 .. Stream 1005 (1000) | Stream 9000 |
        BeginWindow | Closing | Closing 3 | None | Close 0 |  |
        BeginWindow | Closed | Closed 3 | None |  |  |
        EndWindow | InWindow | CatchingUp 9 | StartSender | Stream 9 | Stream 9000 |
        GoLive | InWindow | Live 0 | StartSender | End 9 | Stream 9000 |
        StartOver | Greeted | Greeted 0 | StartSender | Control 0 |  |
        StartOver | InWindow | CatchingUp 0 | StartSender | Control 0 | Stream 9000 |
        StartOver | EndQueued | Live 0 | None | Stream 5, End 5, Control 0 | Stream 9000 |
        StartOver | Live | Live 0 | StartSender | Control 0 | Stream 9000 |
        StartOver | Writing | Live 0 | StartSender | Control 0 | Stream 9000 |
        StartOver | SlotKept | Live 0 | None |  |  |
        StartOver | AckWaits | Live 0 | StartSender | Control 0 | Stream 9000, Ack 2000 |
        StartOver | OldAckWaits | Live 0 | StartSender | Control 0 | Stream 9000, Ack 1500 |
        StartOver | Full | Live 0 | None | Stream 6 .. Control 0 (1001) | Stream 9000 |
        StartOver | Closing | Closing 0 | None | Close 0 |  |
        StartOver | Closed | Closed 0 | None |  |  |
        Announce | EndQueued | Live 2000 | None | Stream 5, End 5, Stream 2000 | Stream 9000 |
        Announce | Live | Live 2000 | StartSender | Stream 2000 | Stream 9000 |
        Announce | Writing | Live 2000 | StartSender | Stream 2000 | Stream 9000 |
        Announce | SlotKept | Live 2000 | None |  |  |
        Announce | AckWaits | Live 2000 | StartSender | Stream 2000, Ack 2000 | Stream 9000 |
        Announce | OldAckWaits | Live 2000 | StartSender | Stream 2000, Ack 1500 | Stream 9000 |
        Announce | Full | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000 |
        AnnounceOwn | EndQueued | CatchingUp 0 | StartReader, CountOverflow |  | Stream 9000 | End
        AnnounceOwn | Live | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000 |
        AnnounceOwn | Writing | Live 2000 | StartSender |  |  |
        AnnounceOwn | SlotKept | Live 2000 | None |  |  |
        AnnounceOwn | AckWaits | Live 2000 | StartSender | Ack 2000 | Stream 9000 |
        AnnounceOwn | OldAckWaits | Live 2000 | StartSender |  |  |
        AnnounceOwn | Full | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000 |
        MissAnnouncement | EndQueued | CatchingUp 0 | StartReader, CountOverflow |  | Stream 9000 | End
        MissAnnouncement | Live | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000 |
        MissAnnouncement | Writing | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000 |
        MissAnnouncement | SlotKept | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000 |
        MissAnnouncement | AckWaits | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000, Ack 2000 |
        MissAnnouncement | OldAckWaits | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000, Ack 1500 |
        MissAnnouncement | Full | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000 |
        Acknowledge | InWindow | CatchingUp 0 | None |  | Stream 9000, Ack 2000 |
        Acknowledge | EndQueued | Live 5 | None | Stream 5, End 5 | Stream 9000, Ack 2000 |
        Acknowledge | Live | Live 5 | None |  | Stream 9000, Ack 2000 |
        Acknowledge | Writing | Live 5 | None |  | Stream 9000, Ack 2000 |
        Acknowledge | SlotKept | Live 6 | None | Ack 6 | Stream 9000 |
        Acknowledge | AckWaits | Live 5 | None |  | Stream 9000, Ack 2000, Ack 2000 |
        Acknowledge | OldAckWaits | Live 5 | None |  | Stream 9000, Ack 1500, Ack 2000 |
        Acknowledge | Full | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000, Ack 2000 |
        AcknowledgeOld | InWindow | CatchingUp 0 | None |  | Stream 9000, Ack 1 |
        AcknowledgeOld | EndQueued | Live 5 | None | Stream 5, End 5, Ack 5 | Stream 9000 |
        AcknowledgeOld | Live | Live 5 | StartSender | Ack 5 | Stream 9000 |
        AcknowledgeOld | Writing | Live 5 | StartSender | Ack 5 | Stream 9000 |
        AcknowledgeOld | SlotKept | Live 6 | None | Ack 6 | Stream 9000 |
        AcknowledgeOld | AckWaits | Live 5 | None |  | Stream 9000, Ack 2000, Ack 2000 |
        AcknowledgeOld | OldAckWaits | Live 5 | None |  | Stream 9000, Ack 1500, Ack 1500 |
        AcknowledgeOld | Full | CatchingUp 5 | StartReader, CountOverflow |  | Stream 9000, Ack 1005 |
        FailWrite | InWindow | CatchingUp 0 | StartSender | Control 0 | Stream 9000 |
        FailWrite | EndQueued | Live 5 | None | Stream 5, End 5, Control 0 | Stream 9000 |
        FailWrite | Live | Live 5 | StartSender | Control 0 | Stream 9000 |
        FailWrite | Writing | Live 5 | StartSender | Control 0 | Stream 9000 |
        FailWrite | SlotKept | CatchingUp 5 | StartReader, CountOverflow | Control 0 | Stream 9000 |
        FailWrite | AckWaits | Live 5 | StartSender | Control 0 | Stream 9000, Ack 2000 |
        FailWrite | OldAckWaits | Live 5 | StartSender | Control 0 | Stream 9000, Ack 1500 |
        FailWrite | Full | CatchingUp 5 | StartReader, CountOverflow | Control 0 | Stream 9000 |
        SendUnordered | InWindow | CatchingUp 0 | StartSender | Control 0 | Stream 9000 |
        SendUnordered | EndQueued | Live 5 | None | Stream 5, End 5, Control 0 | Stream 9000 |
        SendUnordered | Live | Live 5 | StartSender | Control 0 | Stream 9000 |
        SendUnordered | Writing | Live 5 | StartSender | Control 0 | Stream 9000 |
        SendUnordered | AckWaits | Live 5 | StartSender | Control 0 | Stream 9000, Ack 2000 |
        SendUnordered | OldAckWaits | Live 5 | StartSender | Control 0 | Stream 9000, Ack 1500 |
        SendUnordered | Full | CatchingUp 5 | StartReader, CountOverflow | Control 0 | Stream 9000 |
        SendNow | Greeted | Greeted 0 | StartSender | Control 0 |  |
        SendNow | InWindow | CatchingUp 0 | StartSender | Control 0 | Stream 9000 |
        SendNow | EndQueued | Live 5 | None | Stream 5, End 5, Control 0 | Stream 9000 |
        SendNow | Live | Live 5 | StartSender | Control 0 | Stream 9000 |
        SendNow | Writing | Live 5 | StartSender | Control 0 | Stream 9000 |
        SendNow | AckWaits | Live 5 | StartSender | Control 0 | Stream 9000, Ack 2000 |
        SendNow | OldAckWaits | Live 5 | StartSender | Control 0 | Stream 9000, Ack 1500 |
        SendNow | Full | Live 1005 | None | Stream 6 .. Control 0 (1001) | Stream 9000 |
        Take | EndQueued | Live 5 | None | End 5 | Stream 9000 |
        Take | Full | Live 1005 | None | Stream 7 .. Stream 1005 (999) | Stream 9000 |
        Take | Closing | Closing 5 | None |  |  |
        Close | Greeted | Closing 0 | StartSender, Close | Close 0 |  |
        Close | InWindow | Closing 0 | StartSender, Close | Close 0 |  |
        Close | EndQueued | Closing 5 | Close | Close 0 |  |
        Close | Live | Closing 5 | StartSender, Close | Close 0 |  |
        Close | Writing | Closing 5 | StartSender, Close | Close 0 |  |
        Close | SlotKept | Closing 6 | Close | Close 0 |  |
        Close | AckWaits | Closing 5 | StartSender, Close | Close 0 |  |
        Close | OldAckWaits | Closing 5 | StartSender, Close | Close 0 |  |
        Close | Full | Closing 1005 | Close | Close 0 |  |
        End | Greeted | Closed 0 | None |  |  |
        End | InWindow | Closed 0 | None |  |  |
        End | EndQueued | Closed 5 | None |  |  |
        End | Live | Closed 5 | None |  |  |
        End | Writing | Closed 5 | None |  |  |
        End | SlotKept | Closed 6 | None |  |  |
        End | AckWaits | Closed 5 | None |  |  |
        End | OldAckWaits | Closed 5 | None |  |  |
        End | Full | Closed 1005 | None |  |  |
        End | Closing | Closed 5 | None |  |  |
        """;

    public static List<string> Cells(string name) =>
        [.. Table.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith(name + " |", StringComparison.Ordinal))];
}
