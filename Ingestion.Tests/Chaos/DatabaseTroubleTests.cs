using System.Net;
using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F8: the server ends the program's sessions at random and takes no further ones. F9: deadlocks, serialisation failures and timeouts.</summary>
[Collection(RunningProgram.Name)]
[Trait("Category", "Long")]
public sealed class DatabaseTroubleTests(ITestOutputHelper output)
{
    private const int Rows = 1500;

    [Fact]
    public async Task Sessions_that_end_at_random_lose_and_double_nothing()
    {
        var seed = Random.Shared.Next();
        using var report = new ChaosReport(output, "F8 sessions ended", seed);
        await using var cluster = await ChaosCluster.StartAsync(maxConnections: 60);
        await using var run = ChaosRun.On(cluster.ConnectionString, await KrithiSite.MadeUpAsync(Rows, seed));
        // Fifty tasks at work share five connections.
        await using var app = await run.StartAsync(("Ingestion:Acquire:RequestsPerMinutePerHost", "300"), ("Ingestion:Database:WorkerPoolSize", "5"), ("Ingestion:Pipeline:Slots:Acquire", "50"));
        await using var sampler = run.Sample();
        var id = await run.Site.SubmitAsync(app, workers: 50);

        var statuses = new SortedSet<int>();
        var ended = 0;
        using (var twoASecond = new PeriodicTimer(TimeSpan.FromMilliseconds(500)))
        {
            for (var n = 0; n < ChaosRun.Scaled(2 * 60 * 5); n++)
            {
                await twoASecond.WaitForNextTickAsync();
                ended += (await cluster.AdminAsync<bool>("""
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE usename = 'ingestion_app' AND application_name LIKE 'ingestion%' ORDER BY random() LIMIT 1
                    """)).Count;
                using var answer = await app.Client.GetAsync("/api/v1/batches");
                statuses.Add((int)answer.StatusCode);
            }
        }
        var taken = await TakeAllAsync(cluster, app, statuses);
        await ChaosRun.EndedAsync(app, id, TimeSpan.FromMinutes(10));

        report.Figure($"a pool of 5 for 50 workers, {ended} sessions ended, then {taken} taken by another client; answers {string.Join('/', statuses)}");
        statuses.ShouldBeSubsetOf([200, 503]);
        await run.CheckAsync(report, sampler);
        report.Pass();
    }

    [Fact]
    public async Task Conflicts_and_timeouts_of_the_database_are_nobodys_failure()
    {
        var seed = Random.Shared.Next();
        using var report = new ChaosReport(output, "F9 conflicts", seed);
        await using var run = await ChaosRun.SharedAsync(await KrithiSite.MadeUpAsync(600, seed));
        var admin = new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = new NpgsqlConnectionStringBuilder(run.ConnectionString).Database, Pooling = false };
        await using var superuser = NpgsqlDataSource.Create(admin.ConnectionString);
        await using var connection = await superuser.OpenConnectionAsync();
        await connection.QueryAsync<object>("""
            CREATE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF random() < 0.01 THEN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'; END IF;
                RETURN NEW;
            END $$;
            """);
        await connection.QueryAsync<object>("CREATE TRIGGER z_refuse BEFORE UPDATE ON ingestion.import_task_run FOR EACH ROW EXECUTE FUNCTION refuse_some()");
        await connection.QueryAsync<object>($"ALTER DATABASE {admin.Database} SET lock_timeout = '400ms'");
        await connection.QueryAsync<object>($"ALTER DATABASE {admin.Database} SET statement_timeout = '5s'");
        await connection.QueryAsync<object>($"ALTER DATABASE {admin.Database} SET deadlock_timeout = '50ms'");

        await using var app = await run.StartAsync();
        await using var sampler = run.Sample();
        var id = await run.Site.SubmitAsync(app);
        using var over = new CancellationTokenSource();
        var opposing = OpposeAsync(run, over.Token);
        await ChaosRun.EndedAsync(app, id, TimeSpan.FromMinutes(10));
        await over.CancelAsync();
        var (rounds, refused) = await opposing;

        var deadlocks = (await connection.QueryAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")).Single();
        report.Figure($"{deadlocks} deadlocks, {rounds} rounds of a client that locks the other way round ({refused} refused), 1 update in 100 not serialisable, lock timeout 400 ms");
        deadlocks.ShouldBeGreaterThan(0);
        await connection.QueryAsync<object>("DROP TRIGGER z_refuse ON ingestion.import_task_run");
        await run.CheckAsync(report, sampler);
        report.Pass();
    }

    // Locks event numbers first and tasks after them, where a settling does the opposite, and sometimes keeps them longer than the timeout.
    private static async Task<(int Rounds, int Refused)> OpposeAsync(ChaosRun run, CancellationToken over)
    {
        var (rounds, refused) = (0, 0);
        while (!over.IsCancellationRequested)
        {
            try
            {
                rounds++;
                await using var connection = await run.Source.OpenConnectionAsync(CancellationToken.None);
                await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
                await connection.QueryAsync<object>("SELECT 1 FROM ingestion.import_batch_seq FOR UPDATE");
                await connection.QueryAsync<object>("SELECT pg_sleep(0.02)");
                await connection.QueryAsync<object>("SELECT 1 FROM ingestion.import_task_run WHERE state = 'running' ORDER BY id DESC FOR UPDATE");
                await connection.QueryAsync<object>("SELECT pg_sleep($1)", rounds % 10 == 0 ? 0.6 : 0.02);
                await transaction.RollbackAsync(CancellationToken.None);
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable)
            {
                refused++;
            }
            await Task.Delay(50, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return (rounds, refused);
    }

    // Another client takes every connection that is left; the program says so and is well again when it lets go.
    private static async Task<int> TakeAllAsync(ChaosCluster cluster, AppProcess app, SortedSet<int> statuses)
    {
        var taken = new List<NpgsqlConnection>();
        try
        {
            while (await TakeAsync(cluster, taken))
            {
            }
            // The program's own pool can be used up only by new sessions: end those it has.
            await EndAllAsync(cluster);
            while (await TakeAsync(cluster, taken))
            {
            }
            await Eventually.IsAsync(async () =>
            {
                using var answer = await app.Client.GetAsync("/api/v1/batches");
                statuses.Add((int)answer.StatusCode);
                return answer.StatusCode == HttpStatusCode.ServiceUnavailable;
            }, "the program says that the database is busy", 60);
        }
        finally
        {
            foreach (var connection in taken) await connection.DisposeAsync();
        }
        await Eventually.IsAsync(async () => (await app.Client.GetAsync("/health")).IsSuccessStatusCode, "it is well again", 60);
        return taken.Count;
    }

    private static Task<List<bool>> EndAllAsync(ChaosCluster cluster) =>
        cluster.AdminAsync<bool>("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ingestion_app' AND application_name LIKE 'ingestion%'");

    private static async Task<bool> TakeAsync(ChaosCluster cluster, List<NpgsqlConnection> taken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(PostgresRoles.For(cluster.ConnectionString, PostgresRoles.Web)) { ApplicationName = "greedy" }.ConnectionString);
        try
        {
            await connection.OpenAsync();
            taken.Add(connection);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.TooManyConnections)
        {
            await connection.DisposeAsync();
            return false;
        }
    }
}
