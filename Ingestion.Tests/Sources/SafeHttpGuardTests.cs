using System.Net;
using System.Net.Sockets;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>Where a fetch may go: judged on the connection, whatever the address looked like.</summary>
public sealed class SafeHttpGuardTests
{
    private static readonly IPAddress Public = IPAddress.Parse("93.184.216.34");

    [Fact]
    public async Task Allowed_port_is_fetched_and_every_other_port_of_the_host_stays_silent()
    {
        await using var open = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var closed = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
        using var fetching = new Fetching(open.Target);

        (await fetching.FetchAsync(open.Url)).Length.ShouldBe(2);
        System.IO.File.Delete(fetching.File);
        var refusal = await fetching.FailAsync(closed.Url);

        refusal.Code.ShouldBe(ErrorCodes.BlockedUrl);
        closed.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Redirect_to_a_private_address_is_refused_before_anything_is_sent(int status)
    {
        await using var silent = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.StatusCode = status;
            c.Response.Headers.Location = silent.Url.AbsoluteUri;
            return Task.CompletedTask;
        });
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url())).Code.ShouldBe(ErrorCodes.BlockedUrl);

        silent.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://example.com/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("//localhost/")]
    [InlineData("http://user:secret@example.com/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://2130706433/")]
    public async Task Redirect_is_judged_like_a_first_address(string location)
    {
        await using var server = await RedirectingAsync(_ => location);
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url())).Code.ShouldBe(ErrorCodes.BlockedUrl);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Private_address_is_refused_at_any_hop(int hops)
    {
        await using var server = await RedirectingAsync(path => int.Parse(path[1..]) is var n && n < hops ? $"/{n + 1}" : "http://10.0.0.1/");
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url("/1"))).Code.ShouldBe(ErrorCodes.BlockedUrl);

        server.Requests.Count.ShouldBe(hops);
    }

    [Fact]
    public async Task Name_with_one_private_address_among_public_ones_is_refused_without_a_connection()
    {
        var dialled = 0;
        using var fetching = new Fetching(Fetching.Options(), Resolving(Public, IPAddress.Loopback), Counting(() => dialled++));

        var refusal = await fetching.FailAsync("http://mixed.example.com/");

        refusal.Code.ShouldBe(ErrorCodes.BlockedUrl);
        refusal.Message.ShouldNotContain("127.0.0.1");
        dialled.ShouldBe(0);
    }

    [Theory]
    [InlineData("::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("10.0.0.1")]
    [InlineData("169.254.169.254")]
    public async Task Public_name_that_leads_inside_is_refused(string address)
    {
        var dialled = 0;
        using var fetching = new Fetching(Fetching.Options(), Resolving(IPAddress.Parse(address), Public), Counting(() => dialled++));

        (await fetching.FailAsync("https://www.example.com/")).Code.ShouldBe(ErrorCodes.BlockedUrl);
        dialled.ShouldBe(0);
    }

    [Fact]
    public async Task Name_that_changes_its_address_between_looks_is_connected_where_it_was_judged()
    {
        await using var stub = await StubServer.StartAsync(c => c.Response.WriteAsync("public"));
        var answers = new Queue<IPAddress>([Public, IPAddress.Loopback]);
        var dialled = new List<IPEndPoint>();
        using var fetching = new Fetching(
            Fetching.Options(),
            (_, _) => Task.FromResult(new[] { answers.Dequeue() }),
            (endPoint, ct) =>
            {
                dialled.Add(endPoint);
                return GuardedConnector.DialTcpAsync(new IPEndPoint(IPAddress.Loopback, stub.Port), ct);
            });

        await fetching.FetchAsync("http://rebinding.example.com/");

        dialled.ShouldBe([new IPEndPoint(Public, 80)]);
        answers.Count.ShouldBe(1);
        // The second connection is judged anew, and by now the name leads inside.
        System.IO.File.Delete(fetching.File);
        fetching.Change(Fetching.Options());
        (await fetching.FailAsync("http://rebinding.example.com/")).Code.ShouldBe(ErrorCodes.BlockedUrl);
        dialled.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Of_a_hundred_addresses_only_a_few_are_tried()
    {
        var dialled = 0;
        var hundred = Enumerable.Range(1, 100).Select(i => IPAddress.Parse($"93.184.216.{i}")).ToArray();
        using var fetching = new Fetching(Fetching.Options(), Resolving(hundred), Counting(() => dialled++));

        (await fetching.FailAsync("http://many.example.com/")).Code.ShouldBe(ErrorCodes.NetworkError);
        dialled.ShouldBe(4);
    }

    [Fact]
    public async Task Second_address_is_tried_when_the_first_does_not_answer()
    {
        await using var stub = await StubServer.StartAsync(c => c.Response.WriteAsync("ok"));
        var first = true;
        using var fetching = new Fetching(
            Fetching.Options(),
            Resolving(IPAddress.Parse("93.184.216.1"), Public),
            (_, ct) =>
            {
                if (first)
                {
                    first = false;
                    throw new SocketException((int)SocketError.ConnectionRefused);
                }
                return GuardedConnector.DialTcpAsync(new IPEndPoint(IPAddress.Loopback, stub.Port), ct);
            });

        (await fetching.FetchAsync("http://www.example.com/")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task Allowed_name_may_lead_inside_and_no_other_name_may()
    {
        await using var stub = await StubServer.StartAsync(c => c.Response.WriteAsync("wiki"));
        using var fetching = new Fetching(Fetching.Options($"wiki.corp:{stub.Port}"), Resolving(IPAddress.Loopback));

        (await fetching.FetchAsync($"http://wiki.corp:{stub.Port}/")).Length.ShouldBe(4);
        System.IO.File.Delete(fetching.File);
        (await fetching.FailAsync($"http://wiki.example.com:{stub.Port}/")).Code.ShouldBe(ErrorCodes.BlockedUrl);
        (await fetching.FailAsync("http://wiki.example.com/")).Code.ShouldBe(ErrorCodes.BlockedUrl);
        stub.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Port_opened_for_one_address_is_not_open_for_others()
    {
        var dialled = 0;
        using var fetching = new Fetching(Fetching.Options("127.0.0.1:5001"), Resolving(Public), Counting(() => dialled++));

        (await fetching.FailAsync("http://www.example.com:5001/")).Message.ShouldContain("port 5001");
        dialled.ShouldBe(0);
    }

    [Fact]
    public async Task Allowed_name_that_leads_to_a_metadata_service_is_refused()
    {
        var dialled = 0;
        using var fetching = new Fetching(Fetching.Options("wiki.corp"), Resolving(IPAddress.Parse("169.254.169.254")), Counting(() => dialled++));

        (await fetching.FailAsync("http://wiki.corp/")).Message.ShouldContain("a metadata service");
        dialled.ShouldBe(0);
    }

    [Fact]
    public async Task Open_closed_and_silent_private_targets_are_refused_in_the_same_words()
    {
        await using var open = new RawServer("HTTP/1.1 200 OK\r\n\r\n");
        var options = Fetching.Options();
        options.AllowedPorts = [80, open.Port, 9];
        using var fetching = new Fetching(options, Resolving(IPAddress.Loopback));

        var messages = new[]
        {
            (await fetching.FailAsync($"http://a.example.com:{open.Port}/")).Message,
            (await fetching.FailAsync("http://a.example.com:9/")).Message,
            (await fetching.FailAsync("http://10.255.255.1/")).Message.Replace("a private network", "this host", StringComparison.Ordinal),
        };

        messages.Distinct().Count().ShouldBe(1);
        open.Connections.ShouldBe(0);
    }

    [Fact]
    public void Own_address_is_refused_even_where_it_is_public()
    {
        var own = System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .First();

        new OwnAddresses(TimeProvider.System).Contains(own).ShouldBeTrue();
        new OwnAddresses(TimeProvider.System).Contains(Public).ShouldBeFalse();
    }

    [Fact]
    public void Proxy_variables_are_ignored()
    {
        var connector = new GuardedConnector(AllowedTargets.None, [], TimeProvider.System, Resolving(), Counting(() => { }));

        using var handler = SafeHttp.Guard.CreateHandler(Fetching.Options(), connector);

        handler.UseProxy.ShouldBeFalse();
    }

    [Fact]
    public async Task Changed_settings_hold_from_the_next_request_on()
    {
        await using var server = await StubServer.StartAsync(c => c.Response.WriteAsync("ok"));
        using var fetching = new Fetching(server.Target);
        await fetching.FetchAsync(server.Url());
        System.IO.File.Delete(fetching.File);

        fetching.Change(Fetching.Options());

        (await fetching.FailAsync(server.Url())).Code.ShouldBe(ErrorCodes.BlockedUrl);
    }

    [Fact]
    public async Task Credentials_stay_with_the_host_they_are_for()
    {
        await using var other = await StubServer.StartAsync(c => c.Response.WriteAsync("ok"));
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.Redirect(c.Request.Path == "/1" ? "/2" : other.Url("/3").AbsoluteUri);
            return Task.CompletedTask;
        });
        using var fetching = new Fetching(server.Target, other.Target);

        await fetching.Http.FetchAsync(new FetchRequest(server.Url("/1"), fetching.File, fetching.Limits)
        {
            Headers = new Dictionary<string, string> { ["Authorization"] = "Bearer secret" },
        });

        server.Requests.ShouldAllBe(r => r.Headers.Authorization == "Bearer secret");
        other.Requests.ShouldHaveSingleItem().Headers.ShouldNotContainKey("Authorization");
    }

    [Fact]
    public async Task Cookies_of_an_answer_are_not_sent_back()
    {
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.Cookies.Append("session", "1");
            return c.Response.WriteAsync("ok");
        });
        using var fetching = new Fetching(server.Target);

        await fetching.FetchAsync(server.Url("/1"));
        await fetching.FetchAsync(server.Url("/2"));

        server.Requests.ShouldAllBe(r => !r.Headers.ContainsKey("Cookie"));
    }

    [Fact]
    public async Task Refresh_header_is_not_followed()
    {
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.Headers["Refresh"] = "0; url=/other";
            return c.Response.WriteAsync("ok");
        });
        using var fetching = new Fetching(server.Target);

        (await fetching.FetchAsync(server.Url())).Redirects.ShouldBeEmpty();
        server.Requests.Count.ShouldBe(1);
    }

    private static Task<StubServer> RedirectingAsync(Func<string, string> location) => StubServer.StartAsync(c =>
    {
        c.Response.StatusCode = 302;
        c.Response.Headers.Location = location(c.Request.Path);
        return Task.CompletedTask;
    });

    private static ResolveHost Resolving(params IPAddress[] addresses) => (_, _) => Task.FromResult(addresses);

    private static DialAddress Counting(Action count) => (_, _) =>
    {
        count();
        throw new SocketException((int)SocketError.ConnectionRefused);
    };
}
