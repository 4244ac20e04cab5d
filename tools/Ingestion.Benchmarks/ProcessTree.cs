using System.Globalization;

namespace Ingestion.Benchmarks;

/// <summary>One look at a process and all that it started.</summary>
/// <param name="App">Resident bytes of the process itself.</param>
/// <param name="Children">Resident bytes of its children but PostgreSQL: the parser workers.</param>
/// <param name="Postgres">Bytes of PostgreSQL: what each backend holds for itself, and the shared memory once.</param>
/// <param name="Cpu">Processor time used, that of ended children included.</param>
internal sealed record ProcessTree(long App, long Children, long Postgres, TimeSpan Cpu)
{
    private const long Page = 4096;

    public static ProcessTree Read(int root)
    {
        var parents = new Dictionary<int, (int Parent, string Name, long Ticks)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), out var id) && Stat(id) is { } stat) parents[id] = stat;

        long app = 0, children = 0, own = 0, shared = 0, ticks = 0;
        foreach (var (id, (_, name, used)) in parents.Where(p => IsUnder(p.Key, root, parents)))
        {
            ticks += used;
            var (resident, common) = Memory(id);
            if (id == root) app = resident;
            else if (name == "postgres") (own, shared) = (own + resident - common, Math.Max(shared, common));
            else children += resident;
        }
        return new(app, children, own + shared, Machine.Ticks(ticks));
    }

    private static bool IsUnder(int id, int root, Dictionary<int, (int Parent, string Name, long Ticks)> parents)
    {
        for (var current = id; current > 1 && parents.TryGetValue(current, out var p); current = p.Parent)
            if (current == root) return true;
        return false;
    }

    private static (int Parent, string Name, long Ticks)? Stat(int id)
    {
        if (ReadFile($"/proc/{id}/stat") is not { } text) return null;
        // The name stands in brackets and may hold anything; the fields after it are numbers.
        var (open, close) = (text.IndexOf('('), text.LastIndexOf(')'));
        var fields = text[(close + 2)..].Split(' ');
        return (int.Parse(fields[1], CultureInfo.InvariantCulture), text[(open + 1)..close], fields[11..15].Sum(f => long.Parse(f, CultureInfo.InvariantCulture)));
    }

    private static (long Resident, long Shared) Memory(int id)
    {
        if (ReadFile($"/proc/{id}/statm") is not { } text) return (0, 0);
        var fields = text.Split(' ');
        return (long.Parse(fields[1], CultureInfo.InvariantCulture) * Page, long.Parse(fields[2], CultureInfo.InvariantCulture) * Page);
    }

    // A process may end between being listed and being read.
    private static string? ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
