using Mirubato.Grains;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

public sealed class SeatsTests
{
    private readonly FakeClock clock = new();
    private readonly List<Exception> failures = [];
    private readonly Seats<Room> seats;

    public SeatsTests() => seats = new Seats<Room>(clock, failures.Add);

    [Fact]
    public void A_room_is_known_once_it_has_a_seat_and_another_of_its_process_is_not()
    {
        var (first, second) = (new Room(), new Room());

        Assert.False(seats.Renew("p", first));
        Assert.True(seats.Renew("p", first));
        Assert.False(seats.Renew("p", second));

        seats.Tell(room => room.Hear());
        Assert.Equal((0, 1), (first.Heard, second.Heard));
    }

    [Fact]
    public void A_room_that_does_not_renew_itself_is_told_until_it_expires_and_never_after()
    {
        var (silent, renewed) = (new Room(), new Room());
        seats.Renew("silent", silent);
        seats.Renew("renewed", renewed);

        clock.Advance(Seats<Room>.Expire - TimeSpan.FromMilliseconds(1));
        seats.Renew("renewed", renewed);
        seats.Tell(room => room.Hear());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        seats.Tell(room => room.Hear());

        Assert.Equal((1, 2), (silent.Heard, renewed.Heard));
        Assert.False(seats.Renew("silent", silent));
    }

    [Fact]
    public async Task A_room_that_hangs_holds_up_no_other_and_loses_its_seat_in_time()
    {
        var (hanging, prompt) = (new Room { Answer = new TaskCompletionSource().Task }, new Room());
        seats.Renew("a", hanging);
        seats.Renew("b", prompt);

        seats.Tell(room => room.Hear());
        Assert.Equal(1, prompt.Heard);

        clock.Advance(Seats<Room>.Patience);
        await Until(() => failures.Count == 1);
        Assert.IsType<TimeoutException>(failures[0]);
        Assert.False(seats.Renew("a", hanging));
        Assert.True(seats.Renew("b", prompt));
    }

    [Fact]
    public void A_room_that_fails_loses_its_seat_and_the_others_keep_theirs()
    {
        var (broken, sound) = (new Room { Answer = Task.FromException(new InvalidOperationException("gone")) }, new Room());
        seats.Renew("a", broken);
        seats.Renew("b", sound);

        seats.Tell(room => room.Hear());

        Assert.Equal("gone", Assert.Single(failures).Message);
        Assert.False(seats.Renew("a", broken));
        Assert.True(seats.Renew("b", sound));
    }

    [Fact]
    public void The_departure_of_a_room_that_was_replaced_comes_too_late()
    {
        var (first, second) = (new Room(), new Room());
        seats.Renew("p", first);
        seats.Renew("p", second);

        seats.Remove("p", first);
        Assert.False(seats.AreEmpty);

        seats.Remove("p", second);
        Assert.True(seats.AreEmpty);
    }

    private static async Task Until(Func<bool> isSo)
    {
        while (!isSo()) await Task.Yield();
    }

    private sealed class Room
    {
        public Task Answer { get; init; } = Task.CompletedTask;

        public int Heard { get; private set; }

        public Task Hear()
        {
            Heard++;
            return Answer;
        }
    }
}
