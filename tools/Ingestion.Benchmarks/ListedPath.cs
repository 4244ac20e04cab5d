using System.Diagnostics;
using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Benchmarks;

/// <summary>A manifest of many rows, listed by the real discovery and then done by stages that do nothing: what counts is that memory stays flat.</summary>
internal static class ListedPath
{
    public static async Task<Result> RunAsync(int rows)
    {
        await using var rig = await QueuePath.StartAsync();
        var uploads = rig.Services.GetRequiredService<UploadStore>();
        var csv = Encoding.UTF8.GetBytes("url,title\n" + string.Concat(Enumerable.Range(1, rows).Select(n => $"http://127.0.0.1/{n},Document {n}\n")));
        var upload = await uploads.CreateAsync(Rig.Measured, new("manifest.csv", csv.Length), CancellationToken.None);
        await uploads.WriteAsync(Rig.Measured.TenantId, upload.PublicId, 0, new MemoryStream(csv), CancellationToken.None);
        var begun = Stopwatch.GetTimestamp();
        var batch = await rig.Services.GetRequiredService<Submission>().SubmitAsync(Rig.Measured, new("benchmark")
        {
            Manifests = [new(upload.PublicId, "url", "title")],
            Options = QueuePath.Options,
        }, null, CancellationToken.None);
        if (await rig.EndAsync(batch.BatchId) is not "completed" and var state) throw new InvalidOperationException($"The batch ended as {state}.");
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        await QueuePath.RequireAsync(rig, rows);
        return new(seconds, new() { ["tasks"] = 4.0 * rows, ["documents"] = rows }, []);
    }
}
