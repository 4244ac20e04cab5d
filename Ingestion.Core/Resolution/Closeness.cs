namespace Ingestion.Core.Resolution;

/// <summary>How close two keys are, 0 to 1, by the letters to be changed.</summary>
internal static class Closeness
{
    /// <summary>1 - letters changed, added, left out or swapped ÷ letters of the longer one; at least right where it reaches <paramref name="least"/>.</summary>
    public static double ByEdits(string a, string b, double least)
    {
        var longest = Math.Max(a.Length, b.Length);
        if (longest == 0 || 1 - (double)Math.Abs(a.Length - b.Length) / longest < least) return 0;
        Span<int> before = stackalloc int[b.Length + 1], last = stackalloc int[b.Length + 1], now = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            now[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var same = a[i - 1] == b[j - 1] ? 0 : 1;
                now[j] = Math.Min(Math.Min(now[j - 1], last[j]) + 1, last[j - 1] + same);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = Math.Min(now[j], before[j - 2] + 1);
            }
            last.CopyTo(before);
            now.CopyTo(last);
        }
        return 1 - (double)last[b.Length] / longest;
    }
}

/// <summary>Names that are looked for by closeness: by the runs of three letters they share with a key, and by the letters to be changed.</summary>
internal sealed class CloseNames
{
    // A key longer than this is a sentence; comparing it letter by letter is for names.
    private const int LongestName = 100;

    private readonly List<(ReferenceEntity Entity, string Key, int Runs)> _names = [];
    private readonly Dictionary<(char, char, char), List<int>> _byRun = [];

    public void Add(ReferenceEntity entity, string key)
    {
        if (key.Length > LongestName) return;
        var runs = RunsOf(key);
        foreach (var run in runs)
        {
            if (!_byRun.TryGetValue(run, out var names)) _byRun[run] = names = [];
            names.Add(_names.Count);
        }
        _names.Add((entity, key, runs.Count));
    }

    /// <summary>Names that are at least so close; one entity may come by several of its names.</summary>
    public IEnumerable<(ReferenceEntity Entity, double Close)> Find(string key, bool byRuns, bool byEdits, double least)
    {
        if (key.Length > LongestName || !(byRuns || byEdits)) yield break;
        var runs = RunsOf(key);
        var shared = new int[_names.Count];
        foreach (var run in runs)
            if (_byRun.TryGetValue(run, out var names))
                foreach (var name in names) shared[name]++;
        for (var i = 0; i < _names.Count; i++)
        {
            var (entity, name, of) = _names[i];
            var close = byRuns ? (double)shared[i] / (runs.Count + of - shared[i]) : 0;
            if (byEdits) close = Math.Max(close, Closeness.ByEdits(key, name, least));
            if (close >= least) yield return (entity, close);
        }
    }

    // The ends padded, as the database's own trigrams are.
    private static HashSet<(char, char, char)> RunsOf(string key)
    {
        var padded = $"  {key} ";
        var runs = new HashSet<(char, char, char)>(padded.Length);
        for (var i = 0; i + 2 < padded.Length; i++) runs.Add((padded[i], padded[i + 1], padded[i + 2]));
        return runs;
    }
}
