using System.Globalization;

namespace Ingestion.Core.Pipeline;

/// <summary>What a draft will do once it is started: what runs, what ends at once and why, and what stands in the way of starting.</summary>
/// <param name="Sources">By source type; what has no size yet has null bytes.</param>
/// <param name="Formats">Files by format, the largest number first.</param>
/// <param name="Refused">Documents that will fail, grouped by reason; they are counted in <paramref name="Sources"/> too.</param>
/// <param name="Known">Files whose content is published in the collection already; they are skipped. Zero where skipping is switched off.</param>
/// <param name="Twins">Files with the content of an earlier one in this batch; they are skipped as well.</param>
/// <param name="Repeats">Pasted lines that repeat an earlier one and make no item.</param>
/// <param name="Unfinished">Uploads whose last byte is not here.</param>
public sealed record BatchPlan(
    IReadOnlyList<PlanPart> Sources, IReadOnlyList<PlanPart> Formats, IReadOnlyList<PlanRefusal> Refused, IReadOnlyList<PlanManifest> Manifests,
    PlanPart Known, PlanPart Twins, int Repeats, int Unfinished, int MaxItems, PlanModel Model)
{
    /// <summary>Sites, connections and uploaded archives that are listed once it runs; nobody knows yet how much they hold.</summary>
    public int Listed { get; init; }

    /// <summary>Documents that become items.</summary>
    public long Items => Sources.Sum(s => s.Count);

    /// <summary>Bytes of what is here already.</summary>
    public long Bytes => Sources.Sum(s => s.Bytes ?? 0);

    public long RefusedCount => Refused.Sum(r => r.Count);

    /// <summary>Why it cannot be started, in sentences that say what to do; empty where it can.</summary>
    public IReadOnlyList<string> Obstacles
    {
        get
        {
            var obstacles = new List<string>();
            if (Items == 0 && Manifests.Count == 0 && Unfinished == 0 && Listed == 0) obstacles.Add("The batch is empty: add files, addresses, a manifest or a source.");
            if (Unfinished > 0) obstacles.Add(Unfinished == 1 ? "1 upload is not finished: let it finish, or remove it." : $"{Number(Unfinished)} uploads are not finished: let them finish, or remove them.");
            obstacles.AddRange(Manifests.Where(m => m.Problem is not null).Select(m => $"{m.Name}: {m.Problem}"));
            if (Items > MaxItems) obstacles.Add($"The batch has {Number(Items)} documents; {Number(MaxItems)} are allowed. Split it.");
            if (Model.Problem is { } problem) obstacles.Add(problem);
            return obstacles;
        }
    }

    private static string Number(long n) => n.ToString("#,0", CultureInfo.InvariantCulture);
}

/// <param name="Name">A source type or a format.</param>
/// <param name="Bytes">Null where it is not known yet.</param>
public sealed record PlanPart(string Name, long Count, long? Bytes);

/// <param name="Why">A sentence for a person.</param>
/// <param name="Examples">The first few of them, by name.</param>
public sealed record PlanRefusal(string Code, string Why, long Count, IReadOnlyList<string> Examples);

/// <param name="Problem">Why it cannot be listed; null where it can.</param>
public sealed record PlanManifest(string Upload, string Name, int Rows, string? Problem);

/// <param name="Id">The model that will be used; null where none can be.</param>
/// <param name="Note">A sentence where another was asked for.</param>
public sealed record PlanModel(string? Id, string? Note, string? Problem);
