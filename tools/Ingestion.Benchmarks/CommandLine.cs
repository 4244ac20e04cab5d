namespace Ingestion.Benchmarks;

/// <summary>What a run of the tool measures and how often.</summary>
/// <param name="What"><c>documents</c>, <c>queue</c>, <c>subscribers</c>, <c>crawl</c>, <c>resolve</c>, <c>review</c> or <c>all</c>.</param>
/// <param name="Pages">The folder whose HTML files are the corpus.</param>
/// <param name="Rounds">Runs of each contender; they take turns, so that the machine's mood touches all alike.</param>
/// <param name="Items">Documents of the queue benchmark; each is four tasks.</param>
/// <param name="Peers">A folder with a program <c>run</c> that measures other software, or null.</param>
/// <param name="Subscribers">Connections that follow one batch; fewer where the machine allows fewer open files.</param>
/// <param name="List">A table of entities to look names up in; null for a made one.</param>
/// <param name="Names">A folder of CSV files whose <paramref name="Column"/> holds the names; null for made ones.</param>
/// <param name="Only">Contenders whose name begins with one of these; empty for all.</param>
internal sealed record Plan(string What, string Pages, int Rounds, int Items, int Subscribers, string? Peers, IReadOnlyList<string> Only, string? List = null, string? Names = null, string Column = "Raga")
{
    public bool Includes(string contender) => Only.Count == 0 || Only.Any(contender.StartsWith);
}

/// <summary>The command line: benchmarks by name, options after them.</summary>
internal static class CommandLine
{
    private const string Usage = """
        Ingestion.Benchmarks documents|queue|subscribers|crawl|resolve|review|all [options]

          --rounds N     runs of each contender, in turns (3)
          --pages DIR    the HTML files to ingest (/usr/share/doc/postgresql-doc-15/html)
          --items N      documents of the queue benchmark, four tasks each (5000)
          --subscribers N  connections that follow one batch (10000, or what the limit of open files allows)
          --list FILE    resolve: a table of entities (972 made ones)
          --names DIR    resolve: CSV files that hold the names to look up (1,240 made ones)
          --column NAME  resolve: which of their columns (Raga)
          --only A,B     only contenders whose name begins so
          --statements   count statements in PostgreSQL and list the costliest (slows it by a few percent)
          --peers DIR    afterwards run DIR/run b2 (documents) or b1 (queue), which measures other software

        Build with -c Release. What the figures mean is in docs/benchmarks.md.
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        if (Read(args) is not { } plan)
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }
        using var interrupt = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            interrupt.Cancel();
        };
        Console.WriteLine(Machine.Describe());
        if (plan.What is "documents" or "all") await DocumentsBenchmark.RunAsync(plan, interrupt.Token);
        var queue = plan.What is "queue" or "all" ? await QueueBenchmark.RunAsync(plan, interrupt.Token) : null;
        if (plan.What is "subscribers" or "all") await SubscribersBenchmark.RunAsync(plan, interrupt.Token);
        if (plan.What is "crawl" or "all") await CrawlBenchmark.RunAsync(plan, interrupt.Token);
        if (plan.What is "resolve" or "all")
        {
            var runs = await Measurement.RoundsAsync(["resolve"], plan.Rounds, _ => plan is { List: { } list, Names: { } names } ? [$"list={list}", $"names={names}", $"column={plan.Column}"] : [], interrupt.Token);
            Report.Table(runs, ["rows"]);
            Report.Ratio("resolve: 5 s ÷ the time", 5 / Report.Median(runs["resolve"]), 1);
        }
        if (plan.What is "review" or "all")
        {
            var runs = await Measurement.RoundsAsync([.. new[] { "review-look", "review-approve" }.Where(plan.Includes)], plan.Rounds, _ => [], interrupt.Token);
            Report.Table(runs, ["looks", "reviews"]);
        }
        if (plan.Peers is { } peers) await Peers.RunAsync(peers, plan.What, queue, interrupt.Token);
        return 0;
    }

    private static Plan? Read(string[] args)
    {
        // Inherited by the contenders.
        if (args.Contains(Statements.Option)) Environment.SetEnvironmentVariable(Statements.Variable, "1");
        args = [.. args.Where(a => a != Statements.Option)];
        if (args is not [("documents" or "queue" or "subscribers" or "crawl" or "resolve" or "review" or "all") and var what, .. var rest] || rest.Length % 2 != 0) return null;
        var plan = new Plan(what, "/usr/share/doc/postgresql-doc-15/html", 3, 5000, 10_000, null, []);
        foreach (var pair in rest.Chunk(2))
        {
            switch (pair)
            {
                case ["--rounds", var n] when int.TryParse(n, out var rounds) && rounds > 0: plan = plan with { Rounds = rounds }; break;
                case ["--items", var n] when int.TryParse(n, out var items) && items > 0: plan = plan with { Items = items }; break;
                case ["--subscribers", var n] when int.TryParse(n, out var subscribers) && subscribers > 9: plan = plan with { Subscribers = subscribers }; break;
                case ["--pages", var folder]: plan = plan with { Pages = Path.GetFullPath(folder) }; break;
                case ["--peers", var folder]: plan = plan with { Peers = Path.GetFullPath(folder) }; break;
                case ["--list", var file]: plan = plan with { List = Path.GetFullPath(file) }; break;
                case ["--names", var folder]: plan = plan with { Names = Path.GetFullPath(folder) }; break;
                case ["--column", var name]: plan = plan with { Column = name }; break;
                case ["--only", var names]: plan = plan with { Only = names.Split(',') }; break;
                default: return null;
            }
        }
        return plan;
    }
}
