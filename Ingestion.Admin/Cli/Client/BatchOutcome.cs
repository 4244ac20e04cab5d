using System.Text.Json;

namespace Ingestion.Admin.Cli.Client;

/// <summary>A batch as <c>/api/v1/batches/{id}</c> tells it, as far as the command line shows it.</summary>
internal sealed record BatchOutcome(
    string Id, string Name, string State, string Sentence, Share Download, Share Ingestion, double Overall, int Open, int Done, int Skipped, int Failed, int Cancelled, int FailedInputs, bool Discovering,
    IReadOnlyList<(int Count, string Sentence)> Waiting, string? Remaining)
{
    public bool HasEnded => State is "completed" or "failed" or "cancelled";

    /// <summary>For a script that waited for the end; 0 while it goes on.</summary>
    public int ExitCode => State switch
    {
        "cancelled" => ExitCodes.Cancelled,
        "failed" => ExitCodes.Failed,
        "completed" => Failed + FailedInputs > 0 ? ExitCodes.Failed : ExitCodes.Done,
        _ => ExitCodes.Done,
    };

    public static BatchOutcome Of(JsonElement b)
    {
        var counts = b.GetProperty("counts");
        int Count(string name) => counts.GetProperty(name).GetInt32();
        return new(
            Said(b, "id"), Said(b, "name"), Said(b, "state"), Said(b, "sentence"), Share.Of(b.GetProperty("download")), Share.Of(b.GetProperty("ingestion")), b.GetProperty("overall_percent").GetDouble(),
            Count("open"), Count("done"), Count("skipped"), Count("failed"), Count("cancelled"), Count("failed_inputs"), Count("discovering") > 0,
            [.. b.GetProperty("waiting").EnumerateArray().Select(w => (w.GetProperty("count").GetInt32(), Said(w, "sentence")))],
            b.GetProperty("remaining") is { ValueKind: JsonValueKind.Object } left ? Said(left, "text") : null);
    }

    private static string Said(JsonElement of, string name) => Plain.Text(of.GetProperty(name).GetString() ?? "");
}

/// <summary>So many of so many, with the server's own words.</summary>
internal sealed record Share(double Percent, string Text)
{
    public static Share Of(JsonElement p) => new(p.GetProperty("percent").GetDouble(), Plain.Text(p.GetProperty("text").GetString()!));
}
