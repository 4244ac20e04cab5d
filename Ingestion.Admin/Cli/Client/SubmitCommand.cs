using System.CommandLine;

namespace Ingestion.Admin.Cli.Client;

/// <summary><c>ingestion submit</c>: files, folders, addresses and manifests in one batch.</summary>
internal sealed class SubmitCommand : ClientCommand
{
    private readonly Argument<string[]> _what = new("what") { Description = "Files, folders (with all below them), and http or https addresses. - reads addresses from standard input, one a line.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _name = new("--name") { Description = "What people shall call the batch.", HelpName = "text" };
    private readonly Option<string?> _collection = new("--collection") { Description = "Key of the collection to fill; else default.", HelpName = "key" };
    private readonly Option<string?> _priority = new("--priority") { Description = "low, normal, high or urgent.", HelpName = "word" };
    private readonly Option<FileInfo[]> _manifests = new("--manifest") { Description = "A CSV file with an address in each row. May be given several times.", HelpName = "file" };
    private readonly Option<string> _column = new("--url-column") { Description = "The manifests' column of addresses.", DefaultValueFactory = _ => "Hyperlink" };
    private readonly Option<string?> _title = new("--title-column") { Description = "The manifests' column of titles.", HelpName = "name" };
    private readonly Option<string[]> _set = new("--option") { Description = "A processing option, such as chunk_size=800. May be given several times.", HelpName = "name=value" };
    private readonly Option<string?> _once = new("--idempotency-key") { Description = "The same key with the same content makes one batch, however often it is sent within 24 hours.", HelpName = "key" };
    private readonly Option<bool> _hold = new("--hold") { Description = "Do not start it: it waits for a person, or for POST …/start." };
    private readonly Option<bool> _wait = new("--wait") { Description = "Follow it until it ends, as bulk-status does; the exit code tells how." };

    public SubmitCommand()
        : base("submit", """
            Hand in files, folders, addresses and manifests as one batch, and print its id.
            Examples: ingestion submit --wait handbook/ https://example.org/faq.html
                      ingestion submit --manifest links.csv --url-column Hyperlink --name "Links of May"
            """)
    {
        Arguments.Add(_what);
        foreach (var option in new Option[] { _name, _collection, _priority, _manifests, _column, _title, _set, _once, _hold, _wait }) Options.Add(option);
    }

    protected override async Task<int> RunAsync(ApiClient api, ParseResult parsed, CancellationToken ct)
    {
        var what = await GatheredFiles.OfAsync(parsed.GetValue(_what) ?? [], Console.In, ct);
        var manifests = parsed.GetValue(_manifests) ?? [];
        if (what.Files.Count + what.Addresses.Count + manifests.Length == 0) throw new ClientException(ExitCodes.Usage, "Name what to hand in: files, folders, addresses or --manifest. See: ingestion submit --help");
        var sender = new FileSender(api);
        var body = new Dictionary<string, object?>
        {
            ["name"] = parsed.GetValue(_name) ?? what.Title ?? manifests[0].Name,
            ["urls"] = what.Addresses,
            ["uploads"] = await sender.SendAsync(what.Files, "file", ct),
            ["manifests"] = (await sender.SendAsync([.. manifests.Select(m => (m.Name, m.FullName))], "manifest", ct))
                .Select(id => new { upload = id, url_column = parsed.GetValue(_column), title_column = parsed.GetValue(_title) }),
            ["auto_start"] = !parsed.GetValue(_hold),
        };
        if (parsed.GetValue(_collection) is { } collection) body["collection"] = collection;
        if (parsed.GetValue(_priority) is { } priority) body["priority"] = priority;
        if (parsed.GetValue(_set) is { Length: > 0 } options) body["options"] = OptionValues.Read(options);
        var id = (await api.PostAsync("api/v1/batches", body, ct, parsed.GetValue(_once))).GetProperty("id").GetString()!;
        var output = parsed.InvocationConfiguration.Output;
        await output.WriteLineAsync(id);
        return parsed.GetValue(_wait) ? await new BatchWatcher(api, output, TimeProvider.System).WatchAsync(id, json: false, once: false, TimeSpan.FromSeconds(1), ct) : ExitCodes.Done;
    }
}
