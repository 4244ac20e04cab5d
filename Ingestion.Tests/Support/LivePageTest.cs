using AngleSharp.Dom;
using Ingestion.Core.Data;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Ingestion.Tests.Support;

/// <summary>Pages as a circuit shows them, on a real database, without a browser and without anything that runs by itself.</summary>
public abstract class LivePageTest : ComponentTest, IAsyncLifetime
{
    protected static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly TemporaryDirectory _data = new();
    private TestDatabase _test = null!;

    protected Database Database { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        _test = await PostgresServer.CreateDatabaseAsync();
        Database = new Database(_test.ConnectionString, new() { WorkerPoolSize = 4, WebPoolSize = 4 });
        Services.AddCore(Database, _data.Path);
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeAsync();
        await Database.DisposeAsync();
        await _test.DisposeAsync();
        _data.Dispose();
    }

    protected void Go(string address) => Services.GetRequiredService<NavigationManager>().NavigateTo(address);

    protected Task TypeAsync(IElement input, string text) => FireAsync(input, "oninput", new ChangeEventArgs { Value = text });
}
