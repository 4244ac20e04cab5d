using Ingestion.Core.Events;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Events;

/// <summary>Hints between processes: two spines on one database.</summary>
public sealed class HintsTests : DatabaseTest
{
    [Fact]
    public async Task Change_here_is_hinted_there_and_a_lost_connection_is_made_up_for()
    {
        var there = new BatchHub();
        using var listener = new ImportEventListener(Database, there, NullLogger<ImportEventListener>.Instance);
        await listener.StartAsync(CancellationToken.None);
        await Spine.Hints.StartAsync(CancellationToken.None);
        await Eventually.IsAsync(() => Task.FromResult(listener.Connected), "it listens");
        using var watcher = there.Subscribe(7);
        Spine.Hints.Changed(7);
        (await watcher.WaitAsync(TimeSpan.FromSeconds(20), CancellationToken.None)).ShouldBeTrue();

        // The connection dies: everybody is told to look once when there is a new one.
        await KillAsync();
        (await watcher.WaitAsync(TimeSpan.FromSeconds(20), CancellationToken.None)).ShouldBeTrue();
        await Eventually.IsAsync(() => Task.FromResult(listener.Connected), "it listens again");
        await listener.StopAsync(CancellationToken.None);
        listener.Connected.ShouldBeFalse();
        await Spine.Hints.StopAsync(CancellationToken.None);
    }

    private async Task KillAsync()
    {
        await using var admin = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Pooling = false }.ConnectionString);
        await admin.OpenAsync();
        (await admin.QueryAsync<bool>("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'ingestion_listener'", Test.Name)).ShouldBe([true]);
    }
}
